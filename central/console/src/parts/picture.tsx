import type { Box } from '@watchpost/shared/contracts/primitives'
import { evidenceUrl } from '../api/client.js'

/** An evidence picture with the detection's box drawn over it. */
export const Picture = ({
  sha256,
  alt,
  box,
  label,
}: {
  readonly sha256: string
  readonly alt: string
  readonly box?: Box | null
  readonly label?: string | null
}) => (
  <span className="picture">
    <img src={evidenceUrl(sha256)} alt={alt} loading="lazy" />
    {box && (
      <span
        className="picture-box"
        aria-hidden="true"
        style={{
          left: `${box[0] * 100}%`,
          top: `${box[1] * 100}%`,
          width: `${box[2] * 100}%`,
          height: `${box[3] * 100}%`,
        }}
      >
        {label && <span>{label}</span>}
      </span>
    )}
  </span>
)

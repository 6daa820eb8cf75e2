import type { Box } from '@watchpost/shared/contracts/primitives'
import { evidenceUrl } from '../api/client.js'

export interface NamedBox {
  readonly box: Box
  readonly name: string | null
  /** Drawn by a person, not by a model. */
  readonly isReviewed?: boolean
}

/** An evidence picture with boxes drawn over it. */
export const Picture = ({
  sha256,
  alt,
  boxes = [],
}: {
  readonly sha256: string
  readonly alt: string
  readonly boxes?: readonly NamedBox[]
}) => (
  <span className="picture">
    <img src={evidenceUrl(sha256)} alt={alt} loading="lazy" />
    {boxes.map(({ box, name, isReviewed }) => (
      <span
        key={`${name} ${box.join()}`}
        className={`picture-box ${isReviewed ? 'reviewed' : ''}`}
        aria-hidden="true"
        style={{
          left: `${box[0] * 100}%`,
          top: `${box[1] * 100}%`,
          width: `${box[2] * 100}%`,
          height: `${box[3] * 100}%`,
        }}
      >
        {name && <span>{name}</span>}
      </span>
    ))}
  </span>
)

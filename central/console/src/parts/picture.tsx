import type { Box } from '@watchpost/shared/contracts/primitives'
import { evidenceUrl } from '../api/client.js'
import { boxStyle } from './box-style.js'

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
        style={boxStyle(box)}
      >
        {name && <span>{name}</span>}
      </span>
    ))}
  </span>
)

export type CaptureErrorCode =
  | 'ffmpeg-missing'
  | 'credentials'
  | 'source-missing'
  | 'not-a-video'
  | 'no-frames'
  | 'unsupported-source'
  | 'source-broken'

/** A source cannot be read. `subject` names it without credentials; `hint` says what to do. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError'
  readonly code: CaptureErrorCode
  readonly subject: string
  readonly hint: string

  constructor(code: CaptureErrorCode, fields: { subject: string; message: string; hint: string; cause?: unknown }) {
    super(`${fields.subject}: ${fields.message}. ${fields.hint}`, { cause: fields.cause })
    this.code = code
    this.subject = fields.subject
    this.hint = fields.hint
  }
}

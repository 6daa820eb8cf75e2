import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { jpegSize } from '../../../central/labels/jpeg-size.js'

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#456' } }).jpeg({ progressive: width > height })

describe('the size of a JPEG', () => {
  it('is read from its head, also behind EXIF and in progressive files', async () => {
    const plain = await picture(640, 360).toBuffer()
    expect(jpegSize(plain)).toEqual({ width: 640, height: 360 })
    const described = await picture(36, 64)
      .withExif({ IFD0: { ImageDescription: 'x'.repeat(30_000) } })
      .toBuffer()
    expect(jpegSize(described)).toEqual({ width: 36, height: 64 })
    expect(jpegSize(described.subarray(0, 20_000))).toBeUndefined()
  })

  it('is not made up for what is no JPEG', async () => {
    expect(jpegSize(await picture(8, 8).png().toBuffer())).toBeUndefined()
    expect(jpegSize(Buffer.from([0xff, 0xd8]))).toBeUndefined()
    expect(jpegSize(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeUndefined()
    expect(jpegSize(Buffer.alloc(100))).toBeUndefined()
  })
})

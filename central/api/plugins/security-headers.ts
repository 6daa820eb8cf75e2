import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

export interface SecurityOptions {
  readonly secureCookies: boolean
  /** Its origin may be asked for tiles, glyphs and sprites. */
  readonly mapStyleUrl?: string
}

/** For pages and the operators' API. MapLibre runs its workers from blobs and draws images from data URLs. */
export const addSecurityHeaders = async (
  app: FastifyInstance,
  { secureCookies, mapStyleUrl }: SecurityOptions,
): Promise<void> => {
  const mapOrigin = mapStyleUrl && URL.canParse(mapStyleUrl) ? [new URL(mapStyleUrl).origin] : []
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // MapLibre and uPlot set inline styles; scripts stay strict.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:', ...mapOrigin],
        connectSrc: ["'self'", ...mapOrigin],
        fontSrc: ["'self'", 'data:', ...mapOrigin],
        mediaSrc: ["'self'", 'blob:'],
        workerSrc: ["'self'", 'blob:'],
        childSrc: ['blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Only behind HTTPS: on a plain local network it would lock people out.
    strictTransportSecurity: secureCookies ? { maxAge: 31_536_000 } : false,
    crossOriginEmbedderPolicy: false,
    referrerPolicy: { policy: 'same-origin' },
  })
}

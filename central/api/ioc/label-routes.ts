import type { Readable } from 'node:stream'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import {
  CocoDocument,
  ExportLogEntry,
  ExportQuery,
  LabelPage,
  LabelQuery,
  Precision,
  PrecisionQuery,
} from '@watchpost/shared/api/labels'
import type { Labels } from '../../labels/labels.js'
import { centreStaff, engineers, meOf } from '../plugins/sign-in.js'
import { splitLists } from './comma-lists.js'

const tags = ['labels']
const exportsShown = 200

export const labelRoutes: FastifyPluginAsyncTypebox<{ readonly labels: Labels }> = async (app, { labels }) => {
  app.get(
    '/models/precision',
    {
      config: { roles: centreStaff },
      preValidation: splitLists('camera', 'kind'),
      schema: {
        tags,
        summary: 'How often each camera’s model was right, by kind and version, as people judged it',
        querystring: PrecisionQuery,
        response: { 200: Precision },
      },
    },
    async request => ({ items: await labels.precision(request.query) }),
  )

  app.get(
    '/labels',
    {
      config: { roles: centreStaff },
      preValidation: splitLists('camera', 'kind', 'verdict'),
      schema: {
        tags,
        summary: 'The judged happenings behind it',
        querystring: LabelQuery,
        response: { 200: LabelPage },
      },
    },
    async request => labels.list(request.query),
  )

  app.get(
    '/labels/export',
    {
      config: { roles: engineers },
      preValidation: splitLists('camera', 'kind', 'verdict'),
      schema: {
        tags,
        summary: 'Pictures of reviewed events with their boxes, as COCO or YOLO',
        description: `A tar, made while it is read: \`images/<sha256>.jpg\`; \`annotations.json\` (COCO, schema CocoDocument) or
\`labels/<sha256>.txt\` and \`classes.txt\` (YOLO); \`manifest.json\` (schema ExportManifest), which counts everything that was left
out with the reason and names every picture that is missing. With \`images=none\` the COCO document alone. True events carry
the boxes as corrected, else the event's own on the picture of its moment; false ones carry none, and \`absent\` names the
labels that are surely not there: what smoke was mistaken for, not the water of a misread gauge. Pictures with nothing else are
marked \`hardNegative\`. Unsure and duplicate events are left out. Filters choose pictures; the labels of a picture come from all
that was judged of it, and of what anybody is unsure nothing is \`absent\`. Pictures come in order of their hash; the same
query with the manifest's \`through\` gives the same labels again. Each export is written to a log: /labels/exports.`,
        querystring: ExportQuery,
        // Streams pass serialisers by: this is for the documents.
        response: {
          200: {
            description: 'The export',
            content: {
              'application/x-tar': { schema: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }) },
              'application/json': { schema: CocoDocument },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { bytes, mediaType, fileName } = await labels.export(request.query, meOf(request))
      reply.headers({
        'content-type': mediaType,
        'content-disposition': `attachment; filename="${fileName}"`,
        'cache-control': 'no-store',
      })
      return reply.send(bytes)
    },
  )

  app.get(
    '/labels/exports',
    {
      config: { roles: engineers },
      schema: {
        tags,
        summary: 'Who took labels out, newest first',
        response: { 200: Type.Object({ items: Type.Array(ExportLogEntry) }) },
      },
    },
    async () => ({ items: [...(await labels.exports(exportsShown))] }),
  )
}

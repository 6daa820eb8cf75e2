import { compiledModule } from '@watchpost/shared/compiled-module'
import { describe, expect, it } from 'vitest'

describe('compiledModule', () => {
  it('points into the build when asked from source', () => {
    expect(compiledModule('file:///a/central/x/central/ingest/writer.ts', 'central', './writer-worker.js').href).toBe(
      'file:///a/central/x/central/dist/ingest/writer-worker.js',
    )
  })

  it('stays beside the caller when that is compiled already', () => {
    expect(compiledModule('file:///a/central/dist/ingest/writer.js', 'central', './writer-worker.js').href).toBe(
      'file:///a/central/dist/ingest/writer-worker.js',
    )
  })
})

import { spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSqliteOutbox } from '../../../edge/outbox/adapters/sqlite.js'
import { clearDeadLetters, inspectSqliteOutbox } from '../../../edge/outbox/adapters/sqlite-inspect.js'
import type { OutboxRecord } from '../../../edge/outbox/outbox.js'
import { OutboxWriteError } from '../../../edge/outbox/outbox-write-error.js'
import { mountSmallDisk } from '../../helpers/small-disk.js'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outbox-'))
  file = join(folder, 'outbox.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const record: OutboxRecord = { cameraId: 'le-loi-1', type: 'observation.v1', data: observationEnvelopeExample.data }
const open = (at = file) => openSqliteOutbox({ file: at, siteId: 'an-cuu', maxRows: 1_000_000 })

describe('durability', () => {
  it('keeps epoch, seq, states and everything unacknowledged over a restart', async () => {
    const first = await open()
    await first.append([record, record, record], { rule: { open: true } })
    const { epoch } = await first.status()
    await first.readAfter(0, 10)
    await first.acknowledge(epoch, 1)
    const before = await first.readAfter(0, 10)
    await first.close()

    const second = await open()
    expect(await second.status()).toMatchObject({ epoch, lastSeq: 3, ackedSeq: 1, size: 2, appended: 3, acked: 1 })
    expect(await second.readAfter(0, 10)).toEqual(before)
    expect(await second.states()).toEqual({ rule: { open: true } })
    await second.append([record])
    expect((await second.readAfter(3, 10)).map(row => row.seq)).toEqual([4])
    await second.close()
  })

  it('still holds every append that resolved before kill -9', async () => {
    const script = join(folder, 'appender.mjs')
    const compiled = fileURLToPath(new URL('../../../edge/dist/outbox/adapters/sqlite.js', import.meta.url))
    writeFileSync(
      script,
      `import { openSqliteOutbox } from ${JSON.stringify(pathToFileURL(compiled).href)}
       const outbox = await openSqliteOutbox({ file: ${JSON.stringify(file)}, siteId: 'an-cuu', maxRows: 1000000 })
       const data = ${JSON.stringify(observationEnvelopeExample.data)}
       let value = 0
       const one = async () => {
         for (;;) {
           const mine = ++value
           await outbox.append([{ cameraId: 'le-loi-1', type: 'observation.v1', data: { ...data, value: mine } }], { rule: mine })
           process.stdout.write(mine + '\\n')
         }
       }
       await Promise.all([one(), one(), one()])`,
    )
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const claimed: number[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      claimed.push(Number(line))
      if (claimed.length === 400) child.kill('SIGKILL')
    }
    expect(claimed.length).toBeGreaterThanOrEqual(400)

    const outbox = await open()
    const rows = await outbox.readAfter(0, 100_000)
    const stored = new Set(rows.map(row => 'value' in row.data && row.data.value))
    expect(claimed.filter(value => !stored.has(value))).toEqual([])
    expect(rows.map(row => row.seq)).toEqual(rows.map((_, index) => index + 1))
    expect((await outbox.status()).appended).toBe(rows.length)
    await outbox.close()
  })
})

describe('a full disk', () => {
  let small: string
  beforeEach(context => {
    const disk = mountSmallDisk(2048)
    if ('reason' in disk) return context.skip(disk.reason)
    small = disk.path
  })

  it('rejects the append with a hint, loses nothing, and goes on when there is room', async () => {
    const outbox = await open(join(small, 'outbox.db'))
    await outbox.append([record, record])
    const ballast = join(small, 'ballast')
    const kilobyte = Buffer.alloc(1024)
    let room = 2048
    for (; room > 0; room -= 16) {
      try {
        writeFileSync(ballast, Buffer.alloc(room * 1024))
        break
      } catch {
        rmSync(ballast, { force: true })
      }
    }
    let stored = 2
    let failure: unknown
    while (!failure && stored < 5000) {
      await outbox.append([record]).then(
        () => stored++,
        error => {
          failure = error
        },
      )
    }
    expect(failure).toBeInstanceOf(OutboxWriteError)
    expect(failure).toMatchObject({ reason: 'disk-full', hint: expect.stringContaining('Free disk space') })
    expect(await outbox.status()).toMatchObject({ size: stored, appended: stored })
    expect(await outbox.readAfter(0, 10_000)).toHaveLength(stored)

    rmSync(ballast)
    writeFileSync(join(small, 'other'), kilobyte)
    await outbox.append([record])
    expect((await outbox.readAfter(stored, 10)).map(row => row.seq)).toEqual([stored + 1])
    await outbox.close()
  })
})

describe('opening on a full disk', () => {
  let small: string
  beforeEach(context => {
    const disk = mountSmallDisk(1024)
    if ('reason' in disk) return context.skip(disk.reason)
    small = disk.path
  })
  const fill = (): void => {
    const ballast = openSync(join(small, 'ballast'), 'a')
    for (const size of [65_536, 4_096, 512])
      try {
        for (;;) writeSync(ballast, Buffer.alloc(size))
      } catch {
        // until nothing more fits
      }
    closeSync(ballast)
  }
  const log = () => ({ info: vi.fn(), warn: vi.fn(), error: vi.fn() })

  it('waits for room, says once why, and then holds what it held', async () => {
    const at = join(small, 'outbox.db')
    const before = await open(at)
    await before.append([record])
    await before.close()
    fill()
    const told = log()
    const opening = openSqliteOutbox({ file: at, siteId: 'an-cuu', maxRows: 1_000_000, log: told, retryMs: 20 })
    await vi.waitFor(() => expect(told.error).toHaveBeenCalled(), { timeout: 60_000 })
    await sleep(200)
    expect(told.error.mock.calls).toEqual([
      [
        expect.objectContaining({ hint: expect.stringContaining('Free disk space') }),
        'The agent waits for room on the disk to start',
      ],
    ])
    rmSync(join(small, 'ballast'))
    const after = await opening
    expect((await after.status()).size).toBe(1)
    await after.close()
  })

  it('stops waiting when it is told to', async () => {
    fill()
    const stopping = new AbortController()
    const opening = openSqliteOutbox({
      file: join(small, 'outbox.db'),
      siteId: 'an-cuu',
      maxRows: 1_000_000,
      signal: stopping.signal,
    })
    setTimeout(() => stopping.abort(), 100)
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('opening', () => {
  it('refuses a second agent on the same outbox, and lets it in after the first has gone', async () => {
    const first = await open()
    await expect(open()).rejects.toThrow(/in use by another agent/)
    await first.close()
    await (await open()).close()
  })

  it('refuses an outbox written by a newer agent', async () => {
    await (await open()).close()
    const db = new Database(file)
    db.pragma('user_version = 99')
    db.close()
    await expect(open()).rejects.toThrow(/newer agent/)
  })

  it('blames no other agent when the lock cannot be made', async () => {
    mkdirSync(`${file}.lock`)
    await expect(open()).rejects.toThrow(/outbox\.db cannot be opened: .*Check the rights of the agent on dataDir/)
  })

  it('says which file is no outbox', async () => {
    writeFileSync(file, 'this is not a database, and long enough to be looked at as one'.repeat(20))
    await expect(open()).rejects.toThrow(/outbox\.db cannot be opened: file is not a database/)
  })
})

describe('an outbox restored from an old copy', () => {
  it('renumbers what it holds behind what central has, so that nothing is taken for a duplicate', async () => {
    const outbox = await open()
    await outbox.append([record, record, record])
    const { epoch } = await outbox.status()
    await outbox.readAfter(0, 1)
    await outbox.acknowledge(epoch, 5000)
    const rows = await outbox.readAfter(0, 10)
    expect(rows.map(row => row.seq)).toEqual([5001, 5002])
    await outbox.append([record])
    expect((await outbox.readAfter(5002, 10)).map(row => row.seq)).toEqual([5003])
    await outbox.acknowledge(epoch, 5001)
    const status = await outbox.status()
    expect(status).toMatchObject({ lastSeq: 5003, ackedSeq: 5001, size: 2 })
    expect(status.appended).toBe(status.acked + status.size)
    await outbox.close()
  })

  it('keeps everything appended since, also when that is more than what the copy lacks', async () => {
    const before = await open()
    const numbered = (from: number, count: number): OutboxRecord[] =>
      Array.from({ length: count }, (_, index) => ({
        ...record,
        data: { ...observationEnvelopeExample.data, value: from + index },
      }))
    await before.append(numbered(1, 100))
    const { epoch } = await before.status()
    await before.readAfter(0, 90)
    await before.acknowledge(epoch, 90)
    await before.close()
    copyFileSync(file, join(folder, 'copy.db'))

    const lost = await open()
    await lost.append(numbered(101, 50))
    await lost.readAfter(0, 200)
    await lost.acknowledge(epoch, 150)
    await lost.close()
    for (const ending of ['', '-wal', '-shm']) rmSync(`${file}${ending}`, { force: true })
    renameSync(join(folder, 'copy.db'), file)

    const restored = await open()
    await restored.append(numbered(1001, 60))
    await restored.acknowledge(epoch, 150)
    const rows = await restored.readAfter(0, 1000)
    expect(rows.map(row => 'value' in row.data && row.data.value)).toEqual(
      Array.from({ length: 60 }, (_, index) => 1001 + index),
    )
    expect(rows.map(row => row.seq)).toEqual(Array.from({ length: 60 }, (_, index) => 151 + index))
    const status = await restored.status()
    expect(status).toMatchObject({ lastSeq: 210, ackedSeq: 150, size: 60 })
    expect(status.appended).toBe(status.acked + status.size)
    await restored.close()
  })
})

describe('inspecting', () => {
  it('reads status and dead letters beside the running agent', async () => {
    const outbox = await open()
    await outbox.append([record, record])
    const { epoch } = await outbox.status()
    await outbox.reject(epoch, 1, { type: 'about:blank', title: 'refused', status: 422 })
    const seen = inspectSqliteOutbox(file, 10)
    expect(seen.status).toMatchObject({ epoch, size: 1, deadLetters: 1, appended: 2 })
    expect(seen.deadLetters[0]).toMatchObject({ envelope: { seq: 1 }, problem: { title: 'refused' } })
    await outbox.append([record])
    await outbox.close()
    expect(inspectSqliteOutbox(file, 10).status.size).toBe(2)
  })

  it('forgets the dead letters beside the running agent, and counts them still', async () => {
    const outbox = await open()
    await outbox.append([record, record, record])
    const { epoch } = await outbox.status()
    for (const seq of [1, 2]) await outbox.reject(epoch, seq, { type: 'about:blank', title: 'refused', status: 422 })
    expect(clearDeadLetters(file)).toBe(2)
    expect(await outbox.status()).toMatchObject({ deadLetters: 2, keptDeadLetters: 0, size: 1 })
    expect(await outbox.deadLetters(10)).toEqual([])
    await outbox.append([record])
    await outbox.close()
  })

  it('says so when the agent has never run', () => {
    expect(() => inspectSqliteOutbox(file, 10)).toThrow(/has not run yet/)
    expect(() => clearDeadLetters(file)).toThrow(/has not run yet/)
  })
})

describe('the event loop', () => {
  it('is not blocked while the outbox writes', async () => {
    const outbox = await open()
    const appends = Array.from({ length: 200 }, () => outbox.append([record]))
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await Promise.all(appends)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
    await outbox.close()
  })
})

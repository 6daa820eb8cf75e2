import type { Reporter, TestModule } from 'vitest/node'

/** Ends the run with the skipped tests and their reasons, then `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    const skipped = new Map<string, number>()
    for (const module of modules) {
      // A file that could not be loaded has no tests to count, yet it failed.
      if (module.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const result = test.result()
        count[result.state]++
        if (result.state === 'skipped') {
          const reason = result.note ?? `no reason given (${module.relativeModuleId})`
          skipped.set(reason, (skipped.get(reason) ?? 0) + 1)
        }
      }
    }
    count.failed += count.pending
    for (const [reason, times] of skipped) console.log(`skipped ${times}: ${reason}`)
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}

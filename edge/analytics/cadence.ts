/**
 * When to publish. Slots are cut from the wall clock of the frames (every full 5 s), so that cameras publish at the same
 * instants and a series has no drift; the first frame of each slot publishes.
 */
export const createCadence = (everySeconds: number) => {
  let lastSlot: number | null = null
  const slotOf = (at: number) => (everySeconds > 0 ? Math.floor(at / (everySeconds * 1000)) : at)
  return {
    /** True once per slot. */
    isDue(at: number): boolean {
      const slot = slotOf(at)
      if (slot === lastSlot) return false
      lastSlot = slot
      return true
    },
    /** The next frame is due whatever its slot. */
    hurry(): void {
      lastSlot = null
    },
  }
}

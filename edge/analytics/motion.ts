/** One coordinate with its speed and their covariance: a Kalman filter of constant velocity. Units and seconds of the caller. */
export interface Motion {
  readonly value: number
  readonly speed: number
  readonly valueVariance: number
  readonly covariance: number
  readonly speedVariance: number
}

export const startMotion = (
  value: number,
  { deviation, speedDeviation }: { deviation: number; speedDeviation: number },
): Motion => ({
  value,
  speed: 0,
  valueVariance: deviation ** 2,
  covariance: 0,
  speedVariance: speedDeviation ** 2,
})

/** Where it will be in `seconds`, when its acceleration is noise of the given deviation. */
export const predictMotion = (motion: Motion, seconds: number, accelerationDeviation: number): Motion => {
  const noise = accelerationDeviation ** 2
  return {
    value: motion.value + motion.speed * seconds,
    speed: motion.speed,
    valueVariance:
      motion.valueVariance +
      2 * seconds * motion.covariance +
      seconds ** 2 * motion.speedVariance +
      (noise * seconds ** 4) / 4,
    covariance: motion.covariance + seconds * motion.speedVariance + (noise * seconds ** 3) / 2,
    speedVariance: motion.speedVariance + noise * seconds ** 2,
  }
}

/** Takes a measurement of the value into account. */
export const correctMotion = (motion: Motion, measured: number, deviation: number): Motion => {
  const innovation = motion.valueVariance + deviation ** 2
  const gain = motion.valueVariance / innovation
  const speedGain = motion.covariance / innovation
  const error = measured - motion.value
  return {
    value: motion.value + gain * error,
    speed: motion.speed + speedGain * error,
    valueVariance: (1 - gain) * motion.valueVariance,
    covariance: (1 - gain) * motion.covariance,
    speedVariance: motion.speedVariance - speedGain * motion.covariance,
  }
}

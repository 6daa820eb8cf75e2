/** P(N ≤ count) of a Poisson distribution with this mean. */
const atMost = (count: number, mean: number): number => {
  let term = Math.exp(-mean)
  let sum = term
  for (let n = 1; n <= count; n++) {
    term *= mean / n
    sum += term
  }
  return sum
}

/**
 * Exact one-sided 95 % upper bound of a Poisson mean after `count` were seen: the mean at which so few or fewer would be
 * seen in 5 % of repetitions. 0 seen gives 3.0 ("rule of three"), so minutes of play cannot show a figure per day.
 */
export const upperBound95 = (count: number): number => {
  let [low, high] = [count, count + 10 + 4 * Math.sqrt(count + 1)]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (atMost(count, middle) > 0.05) low = middle
    else high = middle
  }
  return (low + high) / 2
}

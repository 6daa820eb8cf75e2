import { useQuery } from '@tanstack/react-query'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'

interface CityWords {
  /** Agents name an alarm level in one language; the city file has it in both. */
  readonly levelName: (level: string) => string
  readonly wardName: (wardId: string) => string
  readonly wardNames: readonly string[]
}

/** Names of the city file in the reader's language. What it does not know is shown as it came. */
export const useCityWords = (): CityWords => {
  const { name } = useLanguage()
  const city = useQuery({ queryKey: ['city'], queryFn: api.city, staleTime: Number.POSITIVE_INFINITY })
  const levels = city.data?.hotspots.flatMap(hotspot => hotspot.levels) ?? []
  const wards = city.data?.wards ?? []
  return {
    levelName: level => {
      const found = levels.find(({ name: { vi, en } }) => vi === level || en === level)
      return found === undefined ? level : name(found.name)
    },
    wardName: wardId => {
      const found = wards.find(({ id }) => id === wardId)
      return found === undefined ? wardId : name(found.name)
    },
    wardNames: wards.map(ward => name(ward.name)),
  }
}

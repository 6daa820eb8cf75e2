import { useQuery } from '@tanstack/react-query'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'

/** Agents name an alarm level in one language; the city file has it in both. Names it does not know are shown as they came. */
export const useLevelName = (): ((level: string) => string) => {
  const { name } = useLanguage()
  const city = useQuery({ queryKey: ['city'], queryFn: api.city, staleTime: Number.POSITIVE_INFINITY })
  const known = city.data?.hotspots.flatMap(hotspot => hotspot.levels) ?? []
  return level => {
    const found = known.find(({ name: { vi, en } }) => vi === level || en === level)
    return found === undefined ? level : name(found.name)
  }
}

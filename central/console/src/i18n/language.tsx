import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { en } from './en.js'
import { type Key, vi } from './vi.js'

export type Language = 'vi' | 'en'
export type Translate = (key: Key, values?: Readonly<Record<string, string>>) => string

interface Spoken {
  readonly language: Language
  readonly t: Translate
  /** Picks the right one of a bilingual name. */
  readonly name: (bilingual: { readonly vi: string; readonly en: string }) => string
  /** Date and time in the city's zone. */
  readonly time: (iso: string, style?: 'time' | 'full') => string
  readonly ago: (iso: string, nowMs: number) => string
  readonly number: (value: number, digits?: number) => string
  /** A measured value with its unit; shares (unit 1) in per cent. */
  readonly measure: (measured: { readonly value: number; readonly unit: string }) => string
  /** The word under a key made at run time, or `otherwise` when there is none. */
  readonly word: (key: string, otherwise: string) => string
  readonly toggle: () => void
}

const storageKey = 'watchpost.language'
const cityZone = 'Asia/Ho_Chi_Minh'

const remembered = (): Language => {
  const stored = localStorage.getItem(storageKey)
  if (stored === 'vi' || stored === 'en') return stored
  return navigator.language.startsWith('en') ? 'en' : 'vi'
}

const LanguageContext = createContext<Spoken | undefined>(undefined)

export const LanguageProvider = ({ children }: { readonly children: ReactNode }) => {
  const [language, setLanguage] = useState(remembered)
  useEffect(() => {
    document.documentElement.lang = language
    localStorage.setItem(storageKey, language)
  }, [language])
  const spoken = useMemo(() => speak(language, () => setLanguage(language === 'vi' ? 'en' : 'vi')), [language])
  return <LanguageContext value={spoken}>{children}</LanguageContext>
}

export const useLanguage = (): Spoken => {
  const spoken = useContext(LanguageContext)
  if (spoken === undefined) throw new Error('useLanguage outside of LanguageProvider')
  return spoken
}

const speak = (language: Language, toggle: () => void): Spoken => {
  const words: Readonly<Record<Key, string>> = language === 'vi' ? vi : en
  const locale = language === 'vi' ? 'vi-VN' : 'en-GB'
  const clock = new Intl.DateTimeFormat(locale, { timeZone: cityZone, timeStyle: 'medium' })
  const full = new Intl.DateTimeFormat(locale, { timeZone: cityZone, dateStyle: 'short', timeStyle: 'medium' })
  const number = (value: number, digits = 0): string =>
    value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'short', numeric: 'always' })
  return {
    language,
    toggle,
    t: (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
    number,
    measure: ({ value, unit }) => (unit === '1' ? `${number(value * 100)} %` : `${number(value, 1)} ${unit}`),
    word: (key, otherwise) => (key in words ? words[key as Key] : otherwise),
    name: bilingual => bilingual[language],
    time: (iso, style = 'time') => (style === 'time' ? clock : full).format(new Date(iso)),
    ago: (iso, nowMs) => {
      const seconds = Math.round((new Date(iso).getTime() - nowMs) / 1000)
      if (Math.abs(seconds) < 60) return relative.format(Math.min(-0, seconds), 'second')
      if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), 'minute')
      if (Math.abs(seconds) < 172_800) return relative.format(Math.round(seconds / 3600), 'hour')
      return relative.format(Math.round(seconds / 86_400), 'day')
    },
  }
}

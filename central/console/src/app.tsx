import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'
import { ApiError, api } from './api/client.js'
import { LiveProvider, useLive } from './api/live.js'
import { LanguageProvider, useLanguage } from './i18n/language.js'
import { AgentsPage } from './pages/agents.js'
import { CamerasPage } from './pages/cameras.js'
import { IncidentsPage } from './pages/incidents.js'
import { ModelsPage } from './pages/models.js'
import { PrecisionPage } from './pages/precision.js'
import { SignInPage } from './pages/sign-in.js'
import { useNow } from './parts/use-now.js'

// The map and chart libraries are large: fetched when first shown.
const MapPage = lazy(async () => ({ default: (await import('./pages/map.js')).MapPage }))
const FloodPage = lazy(async () => ({ default: (await import('./pages/flood.js')).FloodPage }))

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      refetchOnWindowFocus: true,
      retry: (failures, error) =>
        !(error instanceof ApiError && error.status >= 400 && error.status < 500) && failures < 3,
    },
  },
})

export const App = () => (
  <QueryClientProvider client={client}>
    <LanguageProvider>
      <SignedIn />
    </LanguageProvider>
  </QueryClientProvider>
)

const SignedIn = () => {
  const me = useQuery({ queryKey: ['me'], queryFn: api.me })
  const { t } = useLanguage()
  // First: a session that has ended leaves its last answer behind.
  if (me.error instanceof ApiError && me.error.status === 401) return <SignInPage onDone={() => void me.refetch()} />
  if (me.data) return <Shell name={me.data.name} />
  return (
    <main className="centred" role="status">
      {me.isError ? t('app.error') : t('app.loading')}
    </main>
  )
}

const places = [
  ['/incidents', 'nav.incidents', 'M12 3 2.500 20h19L12 3Zm0 6v5m0 3v.01'],
  ['/map', 'nav.map', 'M9 4 3 6.500v13L9 17l6 3 6-2.500v-13L15 7 9 4Zm0 0v13m6-10v13'],
  ['/cameras', 'nav.cameras', 'M3 8h12v9H3zM15 11l6-3v9l-6-3'],
  [
    '/flood',
    'nav.flood',
    'M3 8c3-2.500 6 2.500 9 0s6 2.500 9 0M3 13c3-2.500 6 2.500 9 0s6 2.500 9 0M3 18c3-2.500 6 2.500 9 0s6 2.500 9 0',
  ],
  ['/precision', 'nav.precision', 'M4 20h16M6 20v-7m6 7V5m6 15v-9'],
  ['/agents', 'nav.agents', 'M4 5h16v6H4zM4 13h16v6H4zM7.500 8v.01M7.500 16v.01'],
  ['/models', 'nav.models', 'M12 3 4 7.500v9L12 21l8-4.500v-9L12 3Zm0 9 8-4.500M12 12v9M12 12 4 7.500'],
] as const

const Shell = ({ name }: { readonly name: string }) => {
  const { t, toggle } = useLanguage()
  const [path] = useLocation()
  const cache = useQueryClient()
  const city = useQuery({ queryKey: ['city'], queryFn: api.city, staleTime: Number.POSITIVE_INFINITY })
  const signOut = async (): Promise<void> => {
    await api.signOut()
    cache.clear()
    location.assign('/')
  }
  return (
    <LiveProvider>
      <a className="skip" href="#main">
        {t('app.skip')}
      </a>
      <div className="shell">
        <header className="top">
          <Link href="/incidents" className="mark">
            <img src="/mark.svg" alt="" width="28" height="28" />
            <span>Watchpost</span>
          </Link>
          <CityName name={city.data?.name} />
          <Clock />
          <LiveDot />
          <button type="button" className="quiet" onClick={toggle}>
            {t('app.language')}
          </button>
          <button type="button" className="quiet sign-out" onClick={() => void signOut()} title={name}>
            {t('app.signOut')}
          </button>
        </header>
        <nav className="places" aria-label="Watchpost">
          {places.map(([href, key, icon]) => (
            <Link key={href} href={href} aria-current={path.startsWith(href) ? 'page' : undefined}>
              <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
                <path
                  d={icon}
                  fill="none"
                  stroke="currentColor"
                  strokeWidth="1.8"
                  strokeLinejoin="round"
                  strokeLinecap="round"
                />
              </svg>
              {t(key)}
            </Link>
          ))}
        </nav>
        <main id="main" tabIndex={-1}>
          <Suspense fallback={<p role="status">{t('app.loading')}</p>}>
            <Switch>
              <Route path="/incidents/:id?">{({ id }) => <IncidentsPage selected={id} />}</Route>
              <Route path="/map">
                <MapPage />
              </Route>
              <Route path="/cameras">
                <CamerasPage />
              </Route>
              <Route path="/flood">
                <FloodPage />
              </Route>
              <Route path="/precision">
                <PrecisionPage />
              </Route>
              <Route path="/agents">
                <AgentsPage />
              </Route>
              <Route path="/models">
                <ModelsPage />
              </Route>
              <Route>
                <Redirect to="/incidents" replace />
              </Route>
            </Switch>
          </Suspense>
        </main>
      </div>
    </LiveProvider>
  )
}

const CityName = ({ name }: { readonly name: { vi: string; en: string } | undefined }) => {
  const { name: pick } = useLanguage()
  return <span className="city muted">{name && pick(name)}</span>
}

const Clock = () => {
  const { time } = useLanguage()
  const now = useNow()
  const iso = new Date(now).toISOString()
  return (
    <time className="clock number" dateTime={iso}>
      {time(iso)}
    </time>
  )
}

const liveness = {
  waiting: ['plain', 'app.loading'],
  live: ['good', 'app.live'],
  lost: ['critical', 'app.reconnecting'],
} as const

const LiveDot = () => {
  const { t } = useLanguage()
  const [tone, key] = liveness[useLive()]
  return (
    <span className={`badge ${tone}`} role="status">
      {t(key)}
    </span>
  )
}

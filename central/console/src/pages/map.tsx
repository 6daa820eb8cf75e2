import { useQuery } from '@tanstack/react-query'
import type { CameraView, IncidentSummary } from '@watchpost/shared/api/incidents'
import { useMemo } from 'react'
import { Link, useLocation } from 'wouter'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { SeverityBadge } from '../parts/badges.js'
import { CityMap, type Marker } from '../parts/city-map.js'
import { Loaded } from '../parts/loading.js'

const noIncidents: readonly IncidentSummary[] = []
const noCameras: readonly CameraView[] = []

export const MapPage = () => {
  const { t, name } = useLanguage()
  const [, go] = useLocation()
  const city = useQuery({ queryKey: ['city'], queryFn: api.city, staleTime: Number.POSITIVE_INFINITY })
  const cameras = useQuery({ queryKey: ['cameras'], queryFn: api.cameras })
  const open = useQuery({
    queryKey: ['incidents', 'map'],
    queryFn: () => api.incidents({ open: true }),
    refetchInterval: 15_000,
  })
  const incidents = open.data?.items ?? noIncidents
  const markers = useMemo<readonly Marker[]>(
    () => [
      ...(cameras.data ?? noCameras).map(camera => ({
        id: `camera-${camera.id}`,
        location: camera.location,
        label: `${t('map.legend.camera')}: ${name(camera.name)}`,
        tone: camera.condition === 'ok' ? 'camera' : 'camera trouble',
        onChoose: () => go('/cameras'),
      })),
      ...markersOf(incidents, incident => `${t(`kind.${incident.kind}`)}: ${name(incident.cameraName)}`, go),
    ],
    [cameras.data, incidents, t, name, go],
  )
  const wardNames = useMemo(
    () => (city.data?.wards ?? []).map(ward => ({ at: middleOf(ward.polygon), text: name(ward.name) })),
    [city.data, name],
  )
  return (
    <div className="map-page">
      <h1 className="visually-hidden">{t('map.title')}</h1>
      <Loaded query={city}>
        {view => (
          <CityMap city={view} styleUrl={view.styleUrl} markers={markers} names={wardNames} label={t('map.title')} />
        )}
      </Loaded>
      <aside className="map-list card">
        {city.data?.styleUrl === null && <p className="small muted">{t('map.schematic')}</p>}
        <ul className="stack">
          {incidents.map(incident => (
            <li key={incident.id} className="row">
              <SeverityBadge severity={incident.severity} />
              <Link href={`/incidents/${incident.id}`}>
                {t(`kind.${incident.kind}`)} · {name(incident.cameraName)}
              </Link>
            </li>
          ))}
          {incidents.length === 0 && <li className="muted">{t('queue.empty')}</li>}
        </ul>
      </aside>
    </div>
  )
}

/** Middle of the polygon's bounding box: good enough for a name. */
const middleOf = (polygon: readonly (readonly [number, number])[]): readonly [number, number] => {
  const middle = (values: readonly number[]): number => (Math.min(...values) + Math.max(...values)) / 2
  return [middle(polygon.map(([longitude]) => longitude)), middle(polygon.map(([, latitude]) => latitude))]
}

/** One pin per place, with the number of its open incidents and the gravest of their severities. */
const markersOf = (
  incidents: readonly IncidentSummary[],
  label: (incident: IncidentSummary) => string,
  go: (path: string) => void,
): readonly Marker[] => {
  const order = ['critical', 'major', 'minor', 'info']
  const places = Map.groupBy(
    incidents.filter(({ location }) => location !== null),
    ({ location }) => String(location),
  )
  return [...places.values()].flatMap(group => {
    const [gravest] = [...group].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
    if (gravest?.location == null) return []
    return [
      {
        id: gravest.id,
        location: gravest.location,
        label: label(gravest),
        tone: gravest.severity,
        text: String(group.length),
        onChoose: () => go(`/incidents/${gravest.id}`),
      },
    ]
  })
}

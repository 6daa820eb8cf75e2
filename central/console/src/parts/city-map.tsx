import type { CityView } from '@watchpost/shared/api/incidents'
import * as maplibregl from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { useEffect, useRef } from 'react'
import 'maplibre-gl/dist/maplibre-gl.css'

// Bundlers cannot find the worker by themselves (MapLibre 6).
maplibregl.setWorkerUrl(workerUrl)

export interface Marker {
  readonly id: string
  readonly location: readonly [number, number]
  readonly label: string
  /** Class of the pin: a severity, `camera`, or a freshness state. */
  readonly tone: string
  readonly text?: string
  readonly onChoose?: () => void
}

/** A name written on the plain map. As elements of the page: fonts for map text would have to come from a server. */
export interface MapName {
  readonly at: readonly [number, number]
  readonly text: string
}

type Outline = Pick<CityView, 'centre' | 'zoom' | 'wards' | 'water' | 'roads'>

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Metres to pixels at zoom 13 near 16.5° N (18.3 m per pixel), doubling with each zoom level. */
const riverWidth = (metres: number): maplibregl.ExpressionSpecification => [
  'interpolate',
  ['exponential', 2],
  ['zoom'],
  10,
  metres / 18.3 / 8,
  18,
  (metres / 18.3) * 32,
]

/** A plain map drawn from the city file: works without any outside network. */
const schematicStyle = (city: Outline): maplibregl.StyleSpecification => {
  const line = (coordinates: readonly (readonly [number, number])[], properties: Record<string, unknown>) => ({
    type: 'Feature' as const,
    properties,
    geometry: { type: 'LineString' as const, coordinates: coordinates.map(point => [...point]) },
  })
  return {
    version: 8,
    sources: {
      wards: {
        type: 'geojson',
        data: {
          type: 'FeatureCollection',
          features: city.wards.map(ward => ({
            type: 'Feature',
            properties: {},
            geometry: { type: 'Polygon', coordinates: [ward.polygon.map(point => [...point])] },
          })),
        },
      },
      roads: {
        type: 'geojson',
        data: { type: 'FeatureCollection', features: city.roads.map(road => line(road.line, {})) },
      },
      ...Object.fromEntries(
        city.water.map((water, index) => [
          `water-${index}`,
          { type: 'geojson' as const, data: { type: 'FeatureCollection' as const, features: [line(water.line, {})] } },
        ]),
      ),
    },
    layers: [
      { id: 'land', type: 'background', paint: { 'background-color': colour('map-land') } },
      { id: 'wards', type: 'fill', source: 'wards', paint: { 'fill-color': colour('map-ward') } },
      {
        id: 'ward-edges',
        type: 'line',
        source: 'wards',
        paint: { 'line-color': colour('map-edge'), 'line-width': 1.5, 'line-dasharray': [3, 2] },
      },
      ...city.water.map((water, index) => ({
        id: `water-${index}`,
        type: 'line' as const,
        source: `water-${index}`,
        layout: { 'line-cap': 'round' as const, 'line-join': 'round' as const },
        paint: { 'line-color': colour('map-water'), 'line-width': riverWidth(water.widthM) },
      })),
      {
        id: 'roads',
        type: 'line',
        source: 'roads',
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': colour('map-road'), 'line-width': riverWidth(30) },
      },
    ],
  }
}

/** The city with markers; a list of the same places must stand beside it for those who cannot use a map. */
export const CityMap = ({
  city,
  styleUrl,
  markers,
  names,
  label,
}: {
  readonly city: Outline
  readonly styleUrl: string | null
  readonly markers: readonly Marker[]
  readonly names: readonly MapName[]
  readonly label: string
}) => {
  const box = useRef<HTMLDivElement>(null)
  const map = useRef<maplibregl.Map | null>(null)
  useEffect(() => {
    if (box.current === null) return
    const created = new maplibregl.Map({
      container: box.current,
      style: styleUrl ?? schematicStyle(city),
      center: [...city.centre],
      zoom: city.zoom,
      attributionControl: styleUrl === null ? false : { compact: true },
    })
    created.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right')
    map.current = created
    return () => {
      map.current = null
      created.remove()
    }
  }, [city, styleUrl])

  useEffect(() => {
    const current = map.current
    if (current === null) return
    const placed = markers.map(marker => {
      const element = document.createElement('button')
      element.type = 'button'
      element.className = `pin ${marker.tone}`
      element.title = marker.label
      element.setAttribute('aria-label', marker.label)
      element.textContent = marker.text ?? ''
      if (marker.onChoose) element.addEventListener('click', marker.onChoose)
      return new maplibregl.Marker({ element }).setLngLat([...marker.location]).addTo(current)
    })
    return () => {
      for (const marker of placed) marker.remove()
    }
  }, [markers])

  useEffect(() => {
    const current = map.current
    // Other styles bring their own names.
    if (current === null || styleUrl !== null) return
    const placed = names.map(({ at, text }) => {
      const element = document.createElement('span')
      element.className = 'map-name'
      element.textContent = text
      return new maplibregl.Marker({ element }).setLngLat([...at]).addTo(current)
    })
    return () => {
      for (const marker of placed) marker.remove()
    }
  }, [names, styleUrl])

  return <section ref={box} className="map" aria-label={label} />
}

import { useQuery } from '@tanstack/react-query'
import type { PrecisionRow } from '@watchpost/shared/api/labels'
import { useSearchParams } from 'wouter'
import { api, labelExportUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { JudgedHappenings } from '../parts/judged-happenings.js'
import { Loaded } from '../parts/loading.js'
import { PrecisionTable } from '../parts/precision-table.js'

const modelOf = ({ model }: PrecisionRow): string => (model ? `${model.id} ${model.version}` : '')

/**
 * How right each camera's model was. Filter and chosen cell stand in the address, so that coming back from an incident, or
 * sending the page to a colleague, shows the same.
 */
export const PrecisionPage = () => {
  const { t } = useLanguage()
  const rows = useQuery({ queryKey: ['precision'], queryFn: api.precision, refetchInterval: 30_000 })
  return (
    <div className="page stack precision">
      <h1>{t('precision.title')}</h1>
      <p className="muted">{t('precision.lead')}</p>
      <Loaded query={rows}>
        {items => (items.length === 0 ? <p className="muted">{t('precision.empty')}</p> : <Rows rows={items} />)}
      </Loaded>
    </div>
  )
}

const Rows = ({ rows }: { readonly rows: readonly PrecisionRow[] }) => {
  const { t, name } = useLanguage()
  const me = useQuery({ queryKey: ['me'], queryFn: api.me })
  const cameras = useQuery({ queryKey: ['cameras'], queryFn: api.cameras })
  const [search, setSearch] = useSearchParams()
  const [camera, kind, model] = ['onlyCamera', 'onlyKind', 'onlyModel'].map(key => search.get(key) ?? '')
  const shown = rows.filter(
    row => (!camera || row.cameraId === camera) && (!kind || row.kind === kind) && (!model || modelOf(row) === model),
  )
  const cameraName = (id: string): string => {
    const found = cameras.data?.find(view => view.id === id)
    return found ? name(found.name) : id
  }
  const [modelId, modelVersion] = model?.split(' ') ?? []
  const exported = {
    format: 'coco',
    ...(camera && { camera }),
    ...(kind && { kind }),
    ...(modelId && modelVersion && { model: modelId, modelVersion }),
  }
  const mayExport = me.data?.role === 'engineer' || me.data?.role === 'admin'
  const choose = (change: Readonly<Record<string, string>>): void =>
    setSearch(before => new URLSearchParams({ ...Object.fromEntries(before), ...change }), { replace: true })
  return (
    <>
      <div className="row filters">
        <Choice
          name={t('precision.camera')}
          all={t('precision.allCameras')}
          value={camera ?? ''}
          options={unique(rows.map(row => row.cameraId)).map(id => [id, cameraName(id)])}
          onChoose={onlyCamera => choose({ onlyCamera })}
        />
        <Choice
          name={t('precision.kind')}
          all={t('precision.allKinds')}
          value={kind ?? ''}
          options={unique(rows.map(row => row.kind)).map(id => [id, t(`kind.${id}`)])}
          onChoose={onlyKind => choose({ onlyKind })}
        />
        <Choice
          name={t('precision.model')}
          all={t('precision.allModels')}
          value={model ?? ''}
          options={unique(rows.map(modelOf)).map(id => [id, id || t('precision.noModel')])}
          onChoose={onlyModel => choose({ onlyModel })}
        />
        {mayExport && (
          <a className="button" href={labelExportUrl(exported)} download title={t('precision.exportHint')}>
            {t('precision.export')}
          </a>
        )}
      </div>
      {shown.length === 0 ? (
        <p className="muted">{t('precision.nothing')}</p>
      ) : (
        <PrecisionTable rows={shown} cameraName={cameraName} />
      )}
      <JudgedHappenings cameraName={cameraName} />
    </>
  )
}

const unique = <T,>(items: readonly T[]): T[] => [...new Set(items)].sort()

const Choice = ({
  name,
  all,
  value,
  options,
  onChoose,
}: {
  readonly name: string
  readonly all: string
  readonly value: string
  readonly options: readonly (readonly [string, string])[]
  readonly onChoose: (value: string) => void
}) => (
  <select aria-label={name} value={value} onChange={event => onChoose(event.target.value)}>
    <option value="">{all}</option>
    {options
      .filter(([id]) => id !== '')
      .map(([id, text]) => (
        <option key={id} value={id}>
          {text}
        </option>
      ))}
  </select>
)

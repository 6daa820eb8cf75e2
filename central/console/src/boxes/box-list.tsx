import { useLanguage } from '../i18n/language.js'
import type { LabelledBox } from './shapes.js'

/** The boxes by name: what each is, and a way to remove it that needs no steady hand. */
export const BoxList = ({
  boxes,
  offered,
  selected,
  newLabel,
  onNewLabel,
  onAdd,
  onSelect,
  onRename,
  onRemove,
}: {
  readonly boxes: readonly LabelledBox[]
  readonly offered: readonly string[]
  readonly selected: number | null
  readonly newLabel: string
  readonly onNewLabel: (label: string) => void
  readonly onAdd: () => void
  readonly onSelect: (index: number) => void
  readonly onRename: (index: number, label: string) => void
  readonly onRemove: (index: number) => void
}) => {
  const { t } = useLanguage()
  return (
    <div className="stack">
      <div className="row box-tools">
        <button type="button" onClick={onAdd}>
          {t('boxes.add')} <kbd>n</kbd>
        </button>
        <span className="row small">
          <span aria-hidden="true">{t('boxes.newLabel')}</span>
          <LabelChoice name={t('boxes.newLabel')} value={newLabel} offered={offered} onChoose={onNewLabel} />
        </span>
      </div>
      {boxes.length === 0 && <p className="notice">{t('boxes.none')}</p>}
      <ol className="box-list">
        {boxes.map((item, index) => {
          const number = String(index + 1)
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a box has no other name than its place in the list.
            <li key={index} aria-current={index === selected ? 'true' : undefined}>
              <button type="button" className="quiet number" onClick={() => onSelect(index)}>
                {number}
              </button>
              <LabelChoice
                name={t('boxes.label', { number })}
                value={item.label}
                offered={offered}
                onChoose={label => onRename(index, label)}
              />
              <button type="button" aria-label={t('boxes.remove', { number })} onClick={() => onRemove(index)}>
                ✕
              </button>
            </li>
          )
        })}
      </ol>
    </div>
  )
}

const LabelChoice = ({
  name,
  value,
  offered,
  onChoose,
}: {
  readonly name: string
  readonly value: string
  readonly offered: readonly string[]
  readonly onChoose: (label: string) => void
}) => {
  const { word } = useLanguage()
  // A model may know a thing that is not offered: it keeps its name.
  const options = offered.includes(value) ? offered : [value, ...offered]
  return (
    <select aria-label={name} value={value} onChange={event => onChoose(event.target.value)}>
      {options.map(label => (
        <option key={label} value={label}>
          {word(`object.${label}`, label)}
        </option>
      ))}
    </select>
  )
}

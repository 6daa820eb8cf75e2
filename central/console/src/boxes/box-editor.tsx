import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { evidenceUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { boxStyle } from '../parts/box-style.js'
import { BoxList } from './box-list.js'
import { boxAfterKey, corners, type LabelledBox } from './shapes.js'
import { useBoxGesture } from './use-box-gesture.js'

/** Where a box made by keyboard begins. */
const middle: LabelledBox['box'] = [0.4, 0.4, 0.2, 0.2]
/** Higher up its name would lie beyond the picture. */
const nameFits = 0.06

/** A picture to draw on. Mouse, touch and keyboard can do the same: draw, move, resize, name, remove. */
export const BoxEditor = ({
  sha256,
  alt,
  boxes,
  offered,
  onChange,
  onLeave,
}: {
  readonly sha256: string
  readonly alt: string
  readonly boxes: readonly LabelledBox[]
  /** Labels to choose from; the first is the usual one. */
  readonly offered: readonly string[]
  readonly onChange: (boxes: readonly LabelledBox[]) => void
  readonly onLeave: () => void
}) => {
  const { t, word, number } = useLanguage()
  const [selected, setSelected] = useState<number | null>(boxes.length > 0 ? 0 : null)
  const [newLabel, setNewLabel] = useState(offered[0] ?? 'object')
  const surface = useRef<HTMLDivElement>(null)
  const help = useId()
  const gesture = useBoxGesture({ boxes, newLabel, onChange, onSelect: setSelected })

  // The focus follows the selection, so that keys reach what is marked.
  useEffect(() => {
    const target = selected === null ? surface.current : surface.current?.querySelector(`[data-box="${selected}"]`)
    if (target instanceof HTMLElement) target.focus({ preventScroll: true })
  }, [selected])

  const add = (): void => {
    onChange([...boxes, { label: newLabel, box: middle }])
    setSelected(boxes.length)
  }
  const remove = (index: number): void => {
    onChange(boxes.filter((_, at) => at !== index))
    setSelected(boxes.length > 1 ? Math.min(index, boxes.length - 2) : null)
    // The selection may stay the same number while its box went: the focus has to be led to the next one.
    surface.current?.focus({ preventScroll: true })
  }
  const rename = (index: number, label: string): void => {
    onChange(boxes.map((item, at) => (at === index ? { ...item, label } : item)))
    setNewLabel(label)
  }

  const onKey = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLSelectElement || event.altKey || event.metaKey) return
    const current = selected === null ? undefined : boxes[selected]
    const box = current && boxAfterKey(current.box, event)
    const chosen = offered[Number(event.key) - 1]
    if (selected !== null && box) onChange(boxes.map((item, at) => (at === selected ? { ...item, box } : item)))
    else if (selected !== null && (event.key === 'Delete' || event.key === 'Backspace')) remove(selected)
    else if (selected !== null && chosen !== undefined) rename(selected, chosen)
    else if (event.key === 'n' && !event.ctrlKey) add()
    else if (event.key === 'Escape') onLeave()
    // Arrows without a box would leave the incident; verdict keys go on to the page.
    else if (!event.key.startsWith('Arrow')) return
    event.preventDefault()
    event.stopPropagation()
  }

  const percent = (share: number): string => number(share * 100)
  const nameOf = ({ label }: LabelledBox): string => word(`object.${label}`, label)
  return (
    // The keys belong to the picture and its list alike.
    // biome-ignore lint/a11y/noStaticElementInteractions: every key does something to a focusable box inside.
    <div className="box-editor stack" onKeyDown={onKey}>
      <div
        ref={surface}
        className="picture editing"
        role="application"
        aria-label={t('boxes.editor')}
        aria-describedby={help}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys that draw need a place before there is any box.
        tabIndex={0}
        {...gesture}
      >
        <img src={evidenceUrl(sha256)} alt={alt} draggable={false} />
        {boxes.map((item, index) => (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: a box has no other name than its place in the list.
            key={index}
            type="button"
            data-box={index}
            className={`picture-box ${item.box[1] < nameFits ? 'at-top' : ''}`}
            aria-pressed={index === selected}
            aria-label={t('boxes.one', {
              number: String(index + 1),
              label: nameOf(item),
              left: percent(item.box[0]),
              top: percent(item.box[1]),
              width: percent(item.box[2]),
              height: percent(item.box[3]),
            })}
            style={boxStyle(item.box)}
            onFocus={() => setSelected(index)}
          >
            <span className="name" aria-hidden="true">
              {index + 1} {nameOf(item)}
            </span>
            {index === selected &&
              corners.map(corner => <span key={corner} className={`handle ${corner}`} data-corner={corner} />)}
          </button>
        ))}
      </div>
      <p id={help} className="small muted">
        {t('boxes.help')} <span className="for-keys">{t('boxes.helpKeys')}</span>
      </p>
      <BoxList
        boxes={boxes}
        offered={offered}
        selected={selected}
        newLabel={newLabel}
        onNewLabel={setNewLabel}
        onAdd={add}
        onSelect={setSelected}
        onRename={rename}
        onRemove={remove}
      />
    </div>
  )
}

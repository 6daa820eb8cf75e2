import { type FormEvent, useState } from 'react'
import { ApiError, api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import type { Key } from '../i18n/vi.js'

const reasonOf = (error: unknown): Key => {
  if (!(error instanceof ApiError)) return 'app.error'
  if (error.status === 429) return 'signIn.tooMany'
  return error.status === 401 ? 'signIn.refused' : 'app.error'
}

export const SignInPage = ({ onDone }: { readonly onDone: () => void }) => {
  const { t, toggle } = useLanguage()
  const [problem, setProblem] = useState<Key | null>(null)
  const [busy, setBusy] = useState(false)

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    try {
      await api.signIn({ name: String(form.get('name')), password: String(form.get('password')) })
      onDone()
    } catch (error) {
      setProblem(reasonOf(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="centred">
      <form className="card sign-in stack" onSubmit={event => void submit(event)}>
        <div className="row spread">
          <span className="mark">
            <img src="/mark.svg" alt="" width="32" height="32" />
            <span>Watchpost</span>
          </span>
          <button type="button" className="quiet" onClick={toggle}>
            {t('app.language')}
          </button>
        </div>
        <h1>{t('signIn.title')}</h1>
        <label>
          {t('signIn.name')}
          <input name="name" autoComplete="username" required autoCapitalize="none" />
        </label>
        <label>
          {t('signIn.password')}
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {problem && (
          <p className="notice critical" role="alert">
            {t(problem)}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy}>
          {t('signIn.submit')}
        </button>
      </form>
    </main>
  )
}

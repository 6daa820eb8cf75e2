import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { LanguageProvider } from '../i18n/language.js'
import { CitizenPage } from './citizen-page.js'
import '../design/tokens.css'
import '../design/base.css'
import '../design/citizen.css'

const root = document.getElementById('root')
if (root === null) throw new Error('public.html has no #root')
createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <CitizenPage />
    </LanguageProvider>
  </StrictMode>,
)

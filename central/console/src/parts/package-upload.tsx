import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId } from 'react'
import { api } from '../api/client.js'
import { hexOf } from '../api/hex.js'
import { useLanguage } from '../i18n/language.js'

/** A package goes up under the hash of its bytes, so what arrives is what was chosen. */
export const PackageUpload = () => {
  const { t } = useLanguage()
  const id = useId()
  const cache = useQueryClient()
  const upload = useMutation({
    mutationFn: async (file: File) => {
      // Browsers give hashing to pages of HTTPS and of this machine only.
      if (!crypto.subtle) throw new Error(t('models.insecure'))
      const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
      const sha256 = hexOf(new Uint8Array(digest))
      return api.uploadPackage(sha256, file)
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: ['models'] }),
  })
  return (
    <div className="row">
      <label htmlFor={id} className="small">
        {t('models.upload')}
      </label>
      <input
        id={id}
        type="file"
        accept=".wpm"
        onChange={event => {
          const file = event.target.files?.[0]
          if (file) upload.mutate(file)
        }}
      />
      <span role="status" className="small">
        {upload.isPending && t('models.uploading')}
        {upload.isError && <span className="notice critical">{upload.error.message}</span>}
        {upload.data && t('models.uploaded', { id: upload.data.id, version: upload.data.version })}
      </span>
    </div>
  )
}

import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const page = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    // MapLibre alone is close to 1 MB; it is loaded only where a map is shown.
    chunkSizeWarningLimit: 1200,
    rollupOptions: { input: { index: page('index.html'), public: page('public.html') } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/public/v1': 'http://127.0.0.1:8080' } },
})

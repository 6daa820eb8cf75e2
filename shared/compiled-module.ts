/**
 * Address of a module that runs in a worker thread or child process of its own, given the `import.meta.url` beside it.
 * Those load compiled code only, also when the caller runs from source (tests): the build mirrors the tree under `dist/`.
 */
export const compiledModule = (here: string, workspace: 'edge' | 'central', relative: `./${string}.js`): URL => {
  const url = new URL(relative, here)
  if (!here.endsWith('.ts')) return url
  const source = `/${workspace}/`
  const at = url.pathname.lastIndexOf(source)
  url.pathname = `${url.pathname.slice(0, at)}${source}dist/${url.pathname.slice(at + source.length)}`
  return url
}

# Sourced by scripts/demo, scripts/streams, scripts/test and scripts/release: brings a fresh Debian or Ubuntu machine with Node to where the project runs.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf '\033[31merror:\033[0m %s\n' "$*" >&2; exit 1; }

require_node() {
  command -v node >/dev/null || die "Node.js is missing. Install Node 20.20 or later (https://nodejs.org), then run this again."
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 20) ? 0 : 1)' ||
    die "Node $(node --version) is too old. Install Node 20.20 or later, then run this again."
  command -v npm >/dev/null || die "npm is missing. It comes with Node.js; install it, then run this again."
}

# require_packages "command or path to look for=Debian package" ...
# Installs what is missing with apt when root or sudo works without a password; otherwise says exactly what to install.
require_packages() {
  local missing=() entry probe
  for entry in "$@"; do
    probe=${entry%%=*}
    if [[ $probe == */* ]]; then compgen -G "$probe" >/dev/null && continue; else command -v "$probe" >/dev/null && continue; fi
    [[ -x /usr/sbin/$probe ]] && continue
    missing+=("${entry#*=}")
  done
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root=(sudo -n)
    else die "These Debian packages are missing. Install them, then run this again:
    sudo apt-get install --no-install-recommends ${missing[*]}"; fi
  fi
  command -v apt-get >/dev/null || die "These programs are missing (Debian package names): ${missing[*]}. Install them, then run this again."
  say "Installing ${missing[*]}"
  # RUNLEVEL=1: installing a server must not start it; the project starts its own copies on free ports.
  "${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
    die "apt-get update failed; see above. Mend the package sources, then run this again."
  "${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install: ${missing[*]}. See its message above."
}

# A C++ compiler is needed only where no prebuilt better-sqlite3 can be had.
build_packages=(make=make g++=g++ python3=python3)
# GStreamer's RTSP server is an implementation by others that the tests hold the agent against.
video_packages=(
  ffmpeg=ffmpeg
  "/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib=gir1.2-gst-rtsp-server-1.0"
  "/usr/lib/python3/dist-packages/gi/__init__.py=python3-gi"
  "/usr/lib/*/gstreamer-1.0/libgstapp.so=gstreamer1.0-plugins-base"
  "/usr/lib/*/gstreamer-1.0/libgstrtp.so=gstreamer1.0-plugins-good"
  "/usr/lib/*/gstreamer-1.0/libgstvideoparsersbad.so=gstreamer1.0-plugins-bad"
)

# Installs the locked dependencies when they are absent or the lock file changed since.
require_dependencies() {
  local stamp=node_modules/.watchpost-lock sum
  sum=$(sha256sum package-lock.json | cut -d' ' -f1)-$(node -p process.versions.modules)
  [[ -f $stamp && $(<"$stamp") == "$sum" ]] && return 0
  say "Installing the locked npm packages (one to two minutes)"
  npm ci --no-audit --no-fund --loglevel=error >&2 || die "npm ci failed; see above."
  printf '%s' "$sum" >"$stamp"
}

build() {
  say "Building"
  npm run --silent build >&2 || die "The build failed; see above."
}

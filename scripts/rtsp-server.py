#!/usr/bin/python3
"""Serves H.264 files as live, looping RTSP streams, without transcoding, through Debian's gst-rtsp-server.

    rtsp-server.py --port 8554 flood-street=clip.mp4 junction=other.mp4 [--user USER --password-file FILE]

Each NAME=FILE becomes rtsp://HOST:PORT/NAME. A stream begins at the first picture of its file when its first viewer
connects; further viewers share it. When the file ends it begins again, with time stamps that go on counting up.
Prints "ready" and one URL per line, then runs until SIGTERM or SIGINT.

Debian and Ubuntu packages: gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base
gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
"""

import argparse
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

SESSION_SWEEP_S = 5
# A viewer that stops reading must not make the server fall behind for ever: after a pause it skips to now.
MAX_CATCH_UP_S = 2.0


@dataclass(frozen=True)
class Clip:
    caps: str
    frame_rate: float
    # (access unit in byte-stream format, is it a key frame)
    access_units: list


def load_clip(path: Path) -> Clip:
    """Reads every access unit of an MP4 file into memory. Exits with a sentence when it is no H.264 MP4."""
    pipeline = Gst.parse_launch(
        "filesrc name=file ! qtdemux ! h264parse config-interval=-1 "
        "! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
    )
    pipeline.get_by_name("file").set_property("location", str(path))
    sink = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    units, caps = [], None
    while (sample := sink.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        mapped, memory = buffer.map(Gst.MapFlags.READ)
        if mapped:
            units.append((bytes(memory.data), not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)))
            buffer.unmap(memory)
        caps = sample.get_caps()
    pipeline.set_state(Gst.State.NULL)
    if caps is None or not units:
        sys.exit(f"rtsp-server: {path} holds no H.264 video in an MP4 container; convert it with: "
                 f"ffmpeg -i {path} -c:v libx264 -pix_fmt yuv420p -bf 0 out.mp4")
    rate = caps.get_structure(0).get_fraction("framerate")
    known = rate[0] and rate.value_numerator > 0
    return Clip(caps.to_string(), rate.value_numerator / rate.value_denominator if known else 25.0, units)


class LoopingFactory(GstRtspServer.RTSPMediaFactory):
    """Makes the media of one mount point: an appsrc that a GLib timer feeds in real time."""

    def __init__(self, clip: Clip):
        super().__init__()
        self.clip = clip
        self.set_shared(True)
        self.connect("media-configure", lambda _factory, media: self.feed(media))

    def do_create_element(self, _url):
        return Gst.parse_launch(
            f'( appsrc name=source is-live=true format=time block=false caps="{self.clip.caps}" '
            "! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96 config-interval=1 )"
        )

    def feed(self, media):
        source = media.get_element().get_by_name("source")
        clip, started = self.clip, time.monotonic()
        duration = int(Gst.SECOND / clip.frame_rate)
        sent = 0

        def push_due():
            nonlocal sent
            due = int((time.monotonic() - started) * clip.frame_rate) + 1
            sent = max(sent, due - int(MAX_CATCH_UP_S * clip.frame_rate) - 1)
            while sent < due:
                data, is_key = clip.access_units[sent % len(clip.access_units)]
                buffer = Gst.Buffer.new_wrapped(data)
                buffer.pts = buffer.dts = sent * duration
                buffer.duration = duration
                if not is_key:
                    buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
                if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return GLib.SOURCE_REMOVE  # the media has ended; a new viewer makes a new one
                sent += 1
            return GLib.SOURCE_CONTINUE

        GLib.timeout_add(max(5, int(500 / clip.frame_rate)), push_due)


def require_credentials(server, user: str, password: str):
    auth, token = GstRtspServer.RTSPAuth.new(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", permission, True)
    return permissions


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--user")
    parser.add_argument("--password-file", type=Path)
    arguments = parser.parse_args()
    if bool(arguments.user) != bool(arguments.password_file):
        parser.error("--user and --password-file go together")
    for stream in arguments.streams:
        name, separator, file = stream.partition("=")
        if not (name and separator and Path(file).is_file()):
            parser.error(f"{stream!r} is not NAME=FILE with a file that exists")
    return arguments


def main():
    arguments = parse_arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(arguments.host)
    server.set_service(str(arguments.port))
    permissions = None
    if arguments.user:
        permissions = require_credentials(server, arguments.user, arguments.password_file.read_text().strip())
    urls = []
    for stream in arguments.streams:
        name, _, file = stream.partition("=")
        factory = LoopingFactory(load_clip(Path(file)))
        if permissions:
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)
        urls.append(f"rtsp://{arguments.host}:{arguments.port}/{name}")
    if not server.attach(None):
        sys.exit(f"rtsp-server: cannot listen on {arguments.host}:{arguments.port}; is another server using the port?")
    GLib.timeout_add_seconds(SESSION_SWEEP_S, lambda: server.get_session_pool().cleanup() or True)
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    print("ready", *urls, sep="\n", flush=True)
    loop.run()


if __name__ == "__main__":
    main()

export type HelpTopic = 'main' | 'run' | 'check' | 'replay' | 'outbox'

const texts: Readonly<Record<HelpTopic, string>> = {
  main: `Usage: watchpost-edge COMMAND --config agent.yaml

  run       watch the cameras of a site and deliver events to central
  check     say everything that is wrong before running
  replay    run a recording through the same pipeline and write events as JSON lines
  outbox    what is recorded and not yet at central

watchpost-edge COMMAND --help explains a command. Exit code: 0 good, 1 failed, 2 called wrongly.`,
  run: `Usage: watchpost-edge run --config agent.yaml

Runs until SIGTERM or SIGINT, then stops within 15 seconds; a second signal stops at once. What was recorded
and not yet acknowledged by central stays in dataDir and is sent after the next start.

  -c, --config FILE   configuration of this agent`,
  check: `Usage: watchpost-edge check --config agent.yaml [--probe]

Checks the configuration, dataDir, ffmpeg and every model package, and prints all findings with hints.

  -c, --config FILE   configuration of this agent
      --probe         also open every camera and knock at the broker`,
  replay: `Usage: watchpost-edge replay --source FILE --config agent.yaml [--camera ID] [--out events.jsonl]

Every frame, in order, nothing dropped; the same recording gives the same lines. Needs neither broker nor secrets.

  -s, --source FILE    a video, a folder of pictures, or the address of a stream (rtsp://, http://)
  -c, --config FILE    configuration of an agent; its models and the analytics of one camera are used
      --camera ID      the camera whose place the recording takes; needed when there are several
  -o, --out FILE       JSON lines; - (the default) is standard output
      --start TIME     time of the first frame, default 2026-01-01T00:00:00Z; a stream has the real time
      --fps N          of a folder of pictures, default 1
      --seconds N      stop after so long; a stream goes on until Ctrl-C otherwise
      --tracks FILE    also write the vehicles that are followed in each frame, as JSON lines
      --evidence DIR   also keep the pictures of events, in DIR, by their SHA-256
      --quiet          no progress on standard error`,
  outbox: `Usage: watchpost-edge outbox status|dead-letters|clear-dead-letters --config agent.yaml [--json]

Works beside a running agent and disturbs nothing.

  status               epoch, size, last and acknowledged seq, counters; appended = acked + deadLetters + thinned + size
  dead-letters         messages central refused, with its reason; of more than 1000 the newest
  clear-dead-letters   forget them once they are dealt with: the agent is degraded as long as there are any
  -c, --config FILE    configuration of this agent
      --json           status as one JSON object, dead letters as JSON lines`,
}

export const help = (topic: HelpTopic): string => texts[topic]

import type { Database } from 'better-sqlite3'

/** Applied in order, each once; `user_version` counts them. Never edit one that has shipped: add the next. */
const migrations: readonly string[] = [
  `
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    ward_id TEXT,
    hotspot_id TEXT,
    version INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_by_opening ON incidents (opened_at DESC, id DESC);
  CREATE INDEX incidents_by_state ON incidents (state, opened_at DESC, id DESC);
  CREATE INDEX incidents_by_ward ON incidents (ward_id, opened_at DESC, id DESC);

  CREATE TABLE happenings (
    key TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    kind TEXT NOT NULL,
    camera_id TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX happenings_by_extent ON happenings (kind, last_at, first_at);
  CREATE INDEX happenings_by_incident ON happenings (incident_id);
  CREATE INDEX happenings_by_camera ON happenings (camera_id, incident_id);

  CREATE TABLE events (
    id TEXT PRIMARY KEY,
    incident_id TEXT REFERENCES incidents (id),
    position INTEGER NOT NULL,
    site_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    camera_id TEXT NOT NULL,
    happening_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    phenomenon_at INTEGER NOT NULL,
    event TEXT NOT NULL,
    verdict TEXT
  ) STRICT;
  CREATE INDEX events_by_time ON events (phenomenon_at DESC, id DESC);
  CREATE INDEX events_by_incident ON events (incident_id, phenomenon_at DESC, id DESC);
  CREATE INDEX events_by_camera ON events (camera_id, phenomenon_at DESC, id DESC);

  CREATE TABLE event_evidence (
    sha256 TEXT NOT NULL,
    event_id TEXT NOT NULL REFERENCES events (id),
    PRIMARY KEY (sha256, event_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE timeline (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    position INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    from_value TEXT,
    to_value TEXT,
    note TEXT,
    event_id TEXT,
    hash TEXT NOT NULL,
    PRIMARY KEY (incident_id, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER timeline_is_never_changed BEFORE UPDATE ON timeline
    BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
  CREATE TRIGGER timeline_is_never_shortened BEFORE DELETE ON timeline
    BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

  CREATE TABLE requests (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE INDEX requests_by_age ON requests (at);
  `,
  // Every verdict is kept, with the columns of its event that labels are asked for by (events never change).
  `
  CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES events (id),
    value TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT,
    picture_sha256 TEXT,
    boxes TEXT,
    happening_key TEXT NOT NULL,
    camera_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    phenomenon_at INTEGER NOT NULL,
    model_id TEXT,
    model_version TEXT
  ) STRICT;
  CREATE INDEX verdicts_by_event ON verdicts (event_id, id);
  CREATE INDEX verdicts_by_picture ON verdicts (picture_sha256, event_id);
  INSERT INTO verdicts (event_id, value, by, at, note, picture_sha256, boxes, happening_key, camera_id, kind,
      phenomenon_at, model_id, model_version)
    SELECT id, verdict ->> '$.value', verdict ->> '$.by', verdict ->> '$.at', verdict ->> '$.note',
      (SELECT item.value ->> '$.sha256' FROM json_each(event, '$.evidence') AS item
        WHERE item.value ->> '$.mediaType' = 'image/jpeg'
        ORDER BY item.value ->> '$.role' NOT IN ('at', 'snapshot'), item.key LIMIT 1),
      CASE WHEN json_array_length(verdict, '$.boxes') > 0 THEN verdict -> '$.boxes' END,
      happening_key, camera_id, kind, phenomenon_at, event ->> '$.model.id', event ->> '$.model.version'
    FROM events WHERE verdict IS NOT NULL ORDER BY verdict ->> '$.at', id;
  ALTER TABLE events DROP COLUMN verdict;
  CREATE TRIGGER verdicts_are_never_changed BEFORE UPDATE ON verdicts
    BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
  CREATE TRIGGER verdicts_are_never_removed BEFORE DELETE ON verdicts
    BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
  `,
  // The public page asks for the newest flood of every hotspot every two seconds.
  'CREATE INDEX incidents_by_hotspot ON incidents (hotspot_id, kind, opened_at DESC, id DESC);',
]

export const migrate = (database: Database): void => {
  const version = database.pragma('user_version', { simple: true }) as number
  if (version > migrations.length) {
    throw new Error(
      `Cannot open ${database.name}: it was written by a newer release (schema ${version}, this one knows ${migrations.length}). Run that release, or restore the backup made before it.`,
    )
  }
  migrations.slice(version).forEach((sql, index) => {
    database.transaction(() => {
      database.exec(sql)
      database.pragma(`user_version = ${version + index + 1}`)
    })()
  })
}

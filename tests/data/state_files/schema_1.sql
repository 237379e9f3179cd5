-- A state file of schema 1, with its rows.
PRAGMA user_version = 1;
CREATE TABLE tickets (
        app_id TEXT PRIMARY KEY, generation INTEGER NOT NULL, record BLOB NOT NULL
    );
CREATE TABLE leases (
        name TEXT PRIMARY KEY, owner TEXT, fence INTEGER NOT NULL, ends_at REAL NOT NULL
    );
CREATE TABLE orders (
        app_id TEXT NOT NULL, order_no TEXT NOT NULL,
        version INTEGER NOT NULL, fence INTEGER NOT NULL,
        due_at REAL, need TEXT NOT NULL, record BLOB NOT NULL,
        PRIMARY KEY (app_id, order_no)
    );
CREATE INDEX orders_due ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need IN ('collect', 'check_orphans');
CREATE INDEX orders_unsent ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need = 'publish';
CREATE TABLE breakers (
        app_id TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL
    );
CREATE TABLE poison (
        app_id TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL,
        count INTEGER NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
        PRIMARY KEY (app_id, source, problem)
    );
INSERT INTO orders VALUES ('SANDBOX1', 'open1', 1, 0, 1767225600.0, 'collect',
  CAST('{"app_id":"SANDBOX1","order_no":"open1","registered_at":"2026-01-01T00:00:00.000001Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","due_at":"2026-01-01T00:00:00Z","schema":1}' AS BLOB));
INSERT INTO orders VALUES ('SANDBOX1', 'done1', 3, 1, 1767225660.0, 'publish',
  CAST('{"app_id":"SANDBOX1","order_no":"done1","registered_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"collected","version":3,"fence":1,"due_at":"2026-01-01T00:01:00Z","attempts":1,"folder":"2026/01/01/a","result":{"type":"collected","masked":{"card":{"number_masked":"411111******1111"}},"sealed":null,"photos":[],"photos_missing":["original","cropped","number"],"manifest":{"kind":"manifest","key":"SANDBOX1/2026/01/01/a/manifest-0011223344556677.json","sha256":"0000000000000000000000000000000000000000000000000000000000000000","size_bytes":2,"media_type":"application/json"},"evidence_uri":"file:///evidence","biz_seq_no":null,"transaction_time":null},"events":[{"id":"e1","type":"kycourier.bank_card.collected.v1","body":"{\"id\":\"e1\"}"}],"schema":1}' AS BLOB));
INSERT INTO orders VALUES ('SANDBOX1', 'tidy1', 4, 1, NULL, 'check_orphans',
  CAST('{"app_id":"SANDBOX1","order_no":"tidy1","registered_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"collected","version":4,"fence":1,"attempts":1,"folder":"2026/01/01/a","result":{"type":"collected","masked":{"card":{"number_masked":"411111******1111"}},"sealed":null,"photos":[],"photos_missing":["original","cropped","number"],"manifest":{"kind":"manifest","key":"SANDBOX1/2026/01/01/a/manifest-0011223344556677.json","sha256":"0000000000000000000000000000000000000000000000000000000000000000","size_bytes":2,"media_type":"application/json"},"evidence_uri":"file:///evidence","biz_seq_no":null,"transaction_time":null},"events":[{"id":"e1","type":"kycourier.bank_card.collected.v1","body":"{\"id\":\"e1\"}","sent":true}],"delivery":{"at":"2026-01-01T00:00:00Z"},"schema":1}' AS BLOB));
INSERT INTO orders VALUES ('SANDBOX1', 'held1', 2, 1, 1767225660.0, 'collect',
  CAST('{"app_id":"SANDBOX1","order_no":"held1","registered_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"collecting","version":2,"fence":1,"owner":"one","lease_ends_at":"2026-01-01T00:01:00Z","due_at":"2026-01-01T00:01:00Z","attempts":1,"folder":"2026/01/01/a","schema":1}' AS BLOB));

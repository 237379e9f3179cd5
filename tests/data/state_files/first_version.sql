-- A state file of the first version, with its rows.
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
        WHERE due_at IS NOT NULL AND need IN ('collect', 'tidy');
CREATE INDEX orders_unsent ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need = 'send';
CREATE TABLE brakes (
        app_id TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL
    );
CREATE TABLE poison (
        app_id TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL,
        count INTEGER NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
        PRIMARY KEY (app_id, source, problem)
    );
INSERT INTO orders VALUES ('SANDBOX1', 'open1', 1, 0, 1767225600.0, 'collect',
  CAST('{"app_id":"SANDBOX1","order_no":"open1","registered_at":"2026-01-01T00:00:00.000001Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"registered","document":"bank_card","reason":null,"version":1,"fence":0,"owner":null,"lease_ends_at":null,"due_at":"2026-01-01T00:00:00Z","attempts":0,"tries":0,"not_ready_tries":0,"turn_at":null,"unknown_tries":0,"photo_tries":0,"photos_since":null,"credentials_since":null,"failing_since":null,"called_at":null,"reopened_at":null,"folder":null,"traceparent":null,"events":[],"tidied":false,"schema":1}' AS BLOB));
INSERT INTO orders VALUES ('SANDBOX1', 'done1', 3, 1, 1767225660.0, 'send',
  CAST('{"app_id":"SANDBOX1","order_no":"done1","registered_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"collected","document":"bank_card","reason":null,"version":3,"fence":1,"owner":null,"lease_ends_at":null,"due_at":"2026-01-01T00:01:00Z","attempts":1,"tries":0,"not_ready_tries":0,"turn_at":null,"unknown_tries":0,"photo_tries":0,"photos_since":null,"credentials_since":null,"failing_since":null,"called_at":null,"reopened_at":null,"folder":"2026/01/01/a","traceparent":null,"events":[{"id":"e1","type":"kycourier.ocr.collected.v1","body":"{\"id\":\"e1\"}","sent":false}],"tidied":false,"schema":1}' AS BLOB));
INSERT INTO orders VALUES ('SANDBOX1', 'tidy1', 4, 1, NULL, 'tidy',
  CAST('{"app_id":"SANDBOX1","order_no":"tidy1","registered_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"collected","document":"bank_card","reason":null,"version":4,"fence":1,"owner":null,"lease_ends_at":null,"due_at":null,"attempts":1,"tries":0,"not_ready_tries":0,"turn_at":null,"unknown_tries":0,"photo_tries":0,"photos_since":null,"credentials_since":null,"failing_since":null,"called_at":null,"reopened_at":null,"folder":"2026/01/01/a","traceparent":null,"events":[{"id":"e1","type":"kycourier.ocr.collected.v1","body":"{\"id\":\"e1\"}","sent":true}],"tidied":false,"schema":1}' AS BLOB));
INSERT INTO orders VALUES ('SANDBOX1', 'held1', 2, 1, 1767225660.0, 'collect',
  CAST('{"app_id":"SANDBOX1","order_no":"held1","registered_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","deadline_at":"2026-01-03T00:00:00Z","state":"collecting","document":"bank_card","reason":null,"version":2,"fence":1,"owner":"one","lease_ends_at":"2026-01-01T00:01:00Z","due_at":"2026-01-01T00:01:00Z","attempts":1,"tries":0,"not_ready_tries":0,"turn_at":null,"unknown_tries":0,"photo_tries":0,"photos_since":null,"credentials_since":null,"failing_since":null,"called_at":null,"reopened_at":null,"folder":"2026/01/01/a","traceparent":null,"events":[],"tidied":false,"schema":1}' AS BLOB));

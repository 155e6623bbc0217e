CREATE TABLE tasks (
    id          uuid PRIMARY KEY,
    user_id     varchar(255) NOT NULL,
    title       varchar(255) NOT NULL,
    description text,
    completed   boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX tasks_by_user ON tasks (user_id, created_at DESC, id DESC);

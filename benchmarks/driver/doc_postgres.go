package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresConns is how many connections the pool has, which all callers share.
const postgresConns = 64

// PostgresDocs opens pgx's pool, of 64 connections, on a table of JSONB at the server whose socket is in the directory addr. Each
// statement is a transaction of its own, and prepared by the pool.
func PostgresDocs(addr string) (Docs, error) {
	ctx := context.Background()
	cfg, err := pgxpool.ParseConfig("user=postgres database=postgres sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("pgx: %w", err)
	}
	cfg.ConnConfig.Host, cfg.ConnConfig.Fallbacks = addr, nil
	cfg.MaxConns, cfg.MinConns = postgresConns, postgresConns
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("pgx: connect to %s: %w", addr, err)
	}
	p := &postgresDocs{pool: pool}
	if err := p.exec("CREATE TABLE IF NOT EXISTS " + docsName + " (id text PRIMARY KEY, d jsonb NOT NULL)"); err != nil {
		pool.Close()
		return nil, fmt.Errorf("make a table on %s: %w", addr, err)
	}
	return p, nil
}

type postgresDocs struct{ pool *pgxpool.Pool }

// The statements.
const (
	postgresInsert    = "INSERT INTO " + docsName + " (id, d) VALUES ($1, $2)"
	postgresFindID    = "SELECT d FROM " + docsName + " WHERE id = $1"
	postgresFindUID   = "SELECT d FROM " + docsName + " WHERE (d->>'uid')::bigint = $1 LIMIT 1"
	postgresRange     = "SELECT d FROM " + docsName + " WHERE (d->>'rank')::bigint >= $1 AND (d->>'rank')::bigint < $2 ORDER BY (d->>'rank')::bigint LIMIT $3"
	postgresUpdateUID = "UPDATE " + docsName + " SET d = jsonb_set(d, '{visits}', to_jsonb($2::bigint)) WHERE (d->>'uid')::bigint = $1"
	postgresDeleteID  = "DELETE FROM " + docsName + " WHERE id = $1"
)

// A context that cannot end costs pgx the least; a hung call is ended by ending the server.
func (p *postgresDocs) exec(sql string, args ...any) error {
	_, err := p.pool.Exec(context.Background(), sql, args...)
	return err
}

// one returns the only column of the only row of an answer; what says which is missing where there is none.
func (p *postgresDocs) one(what error, sql string, args ...any) (raw []byte, err error) {
	err = p.pool.QueryRow(context.Background(), sql, args...).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, what
	}
	return raw, err
}

// change executes a statement that must concern one row.
func (p *postgresDocs) change(what error, sql string, args ...any) error {
	tag, err := p.pool.Exec(context.Background(), sql, args...)
	if err == nil && tag.RowsAffected() != 1 {
		err = what
	}
	return err
}

// Index makes an index of an expression: of a number where the field is one.
func (p *postgresDocs) Index(field string) error {
	expression := "(d->>'" + field + "')"
	if field != FieldEmail {
		expression = "(" + expression + "::bigint)"
	}
	return p.exec("CREATE INDEX ON " + docsName + " (" + expression + ")")
}

func (p *postgresDocs) Insert(d *Document) error {
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return p.exec(postgresInsert, d.ID, raw)
}

func (p *postgresDocs) InsertMany(list []Document) error {
	rows := pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		raw, err := json.Marshal(&list[i])
		return []any{list[i].ID, raw}, err
	})
	_, err := p.pool.CopyFrom(context.Background(), pgx.Identifier{docsName}, []string{"id", "d"}, rows)
	return err
}

func (p *postgresDocs) FindID(id string) ([]byte, error) {
	return p.one(&MissingError{id}, postgresFindID, id)
}

func (p *postgresDocs) FindUID(uid int64) ([]byte, error) {
	return p.one(missingUID(uid), postgresFindUID, uid)
}

func (p *postgresDocs) Range(from, to int64, n int) ([][]byte, error) {
	rows, err := p.pool.Query(context.Background(), postgresRange, from, to, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[[]byte])
}

func (p *postgresDocs) UpdateUID(uid, visits int64) error {
	return p.change(missingUID(uid), postgresUpdateUID, uid, visits)
}

func (p *postgresDocs) DeleteID(id string) error {
	return p.change(&MissingError{id}, postgresDeleteID, id)
}

func (p *postgresDocs) Count() (n uint64, err error) {
	err = p.pool.QueryRow(context.Background(), "SELECT count(*) FROM "+docsName).Scan(&n)
	return n, err
}

// Analyze gives the planner its statistics and leaves nothing to be written for the next checkpoint.
func (p *postgresDocs) Analyze() error {
	return errors.Join(p.exec("VACUUM (ANALYZE) "+docsName), p.exec("CHECKPOINT"))
}

func (p *postgresDocs) Decode(raw []byte) (d Document, err error) {
	err = json.Unmarshal(raw, &d)
	return d, err
}

func (p *postgresDocs) Close() error {
	p.pool.Close()
	return nil
}

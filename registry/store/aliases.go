package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/taximeter/taximeter/registry"
)

// SetAlias implements registry.Models.
func (s *Store) SetAlias(ctx context.Context, name, alias, version string) error {
	if err := registry.CheckAlias(alias); err != nil {
		return err
	}
	return s.changeVersion(ctx, name, version, func(tx *sql.Tx, n int) error {
		_, err := exec(tx, `INSERT INTO aliases (model, alias, version) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET version = excluded.version`, name, alias, n)
		return err
	})
}

// DeleteAlias implements registry.Models.
func (s *Store) DeleteAlias(ctx context.Context, name, alias string) error {
	return s.changeModel(ctx, name, func(tx *sql.Tx) error {
		_, err := exec(tx, `DELETE FROM aliases WHERE model = ? AND alias = ?`, name, alias)
		return err
	})
}

// VersionByAlias implements registry.Models.
func (s *Store) VersionByAlias(ctx context.Context, name, alias string) (registry.ModelVersion, error) {
	return reading(ctx, s, func(tx *sql.Tx) (registry.ModelVersion, error) {
		if _, err := oneModel(tx, name); err != nil {
			return registry.ModelVersion{}, err
		}
		n, err := aliasNumber(tx, name, alias)
		if err != nil {
			return registry.ModelVersion{}, err
		}
		return oneVersion(tx, name, strconv.Itoa(n))
	})
}

func aliasNumber(tx *sql.Tx, name, alias string) (n int, err error) {
	err = tx.QueryRow(`SELECT version FROM aliases WHERE model = ? AND alias = ?
		UNION ALL SELECT * FROM (SELECT version FROM model_versions WHERE model = ?1 AND ?2 = ? AND NOT deleted ORDER BY version DESC LIMIT 1)`,
		name, alias, registry.AliasLatest).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, registry.Errorf(registry.InvalidParameterValue, "Registered model alias %s not found.", alias)
	}
	return n, err
}

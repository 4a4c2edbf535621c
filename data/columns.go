package data

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
)

// table is a file whose footer was read.
type table struct {
	path   string
	size   int64
	groups []parquet.RowGroup
	rows   int
}

// readColumns reads the columns of all row groups, a column of a group being one
// piece of work.
func readColumns(ctx context.Context, t table, s schema) (*Trips, error) {
	trips := &Trips{}
	pickup, dropoff := newTimes(&t, s.pickup, &trips.PickupMicros), newTimes(&t, s.dropoff, &trips.DropoffMicros)
	miles := newCoded(&t, s.miles, &trips.Miles)
	from, to := newCoded(&t, s.pickupZone, &trips.PickupZone), newCoded(&t, s.dropoffZone, &trips.DropoffZone)
	all := []reader{dropoff, pickup, miles, to, from} // those that take longest first
	for _, phase := range []func(reader) []func(context.Context) error{reader.begin, reader.read, reader.readAgain} {
		var work []func(context.Context) error
		for _, c := range all {
			work = append(work, phase(c)...)
		}
		if err := together(ctx, work); err != nil {
			return nil, err
		}
	}
	return trips, nil
}

// reader reads one column, in three steps; the work of each can be done in any
// order and by many goroutines.
type reader interface {
	begin() []func(context.Context) error     // makes room, and learns dictionaries
	read() []func(context.Context) error      // reads
	readAgain() []func(context.Context) error // what turned out to be no codes
}

// together does all work on as many goroutines as there are processors, and
// returns the error of the first of it that has one.
func together(ctx context.Context, work []func(context.Context) error) error {
	errs := make([]error, len(work))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(len(work), runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(work); i = int(next.Add(1)) - 1 {
				errs[i] = work[i](ctx)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// each returns the work of doing read for each group, with the group's rows.
func (t *table) each(name string, read func(ctx context.Context, group, from, to int) error) (work []func(context.Context) error) {
	next := 0
	for i, group := range t.groups {
		from, to := next, next+int(group.NumRows())
		next = to
		work = append(work, func(ctx context.Context) error {
			return guard(t.path, t.size, fmt.Sprintf("column %s of row group %d cannot be read", name, i),
				func() error { return read(ctx, i, from, to) })
		})
	}
	return work
}

// plain reads a column of which each row gets its own value.
type plain[T any] struct {
	*table
	leaf[T]
	out *[]T
}

func newTimes(t *table, l leaf[int64], out *[]int64) reader { return &plain[int64]{t, l, out} }

func (p *plain[T]) begin() []func(context.Context) error {
	return []func(context.Context) error{func(context.Context) error {
		*p.out = make([]T, p.rows)
		return nil
	}}
}

func (p *plain[T]) read() []func(context.Context) error {
	return p.each(p.name, func(ctx context.Context, group, from, to int) error {
		return readValues(ctx, p.leaf, p.groups[group], (*p.out)[from:to])
	})
}

func (p *plain[T]) readAgain() []func(context.Context) error { return nil }

// coded reads a column as codes of one dictionary, which it puts together from
// those of the row groups; and as plain values where the file has it otherwise.
type coded[T int32 | float64] struct {
	plain[T]
	column  *Column[T]
	codes   [][]uint16 // of each group, of its dictionary's codes; nil: it is not to be read as codes
	noCodes atomic.Bool
}

func newCoded[T int32 | float64](t *table, l leaf[T], out *Column[T]) reader {
	return &coded[T]{plain: plain[T]{t, l, &out.Values}, column: out}
}

// mostCodes is how many values a Column can tell apart by codes.
const mostCodes = math.MaxUint16 + 1

func (c *coded[T]) begin() []func(context.Context) error {
	return []func(context.Context) error{func(context.Context) error {
		return guard(c.path, c.size, fmt.Sprintf("the dictionaries of column %s cannot be read", c.name), c.learn)
	}}
}

// learn reads the dictionaries of all groups. Code 0 is the missing value.
func (c *coded[T]) learn() error {
	values := []T{c.missing}
	code := map[uint64]uint16{} // by bits, which tell 0 from -0
	all := make([][]uint16, len(c.groups))
	for i, group := range c.groups {
		dictionary, err := readDictionary(c.leaf, group)
		if err != nil {
			return err
		}
		if dictionary == nil {
			c.noCodes.Store(true)
			return nil
		}
		all[i] = make([]uint16, len(dictionary))
		for j, v := range dictionary {
			if v != v || v == c.missing {
				continue // NaN is unlike itself
			}
			bits := math.Float64bits(float64(v))
			k, known := code[bits]
			if !known {
				if len(values) == mostCodes {
					c.noCodes.Store(true)
					return nil
				}
				k = uint16(len(values))
				values, code[bits] = append(values, v), k
			}
			all[i][j] = k
		}
	}
	c.codes = all
	c.column.Values, c.column.Codes = values, make([]uint16, c.rows)
	return nil
}

func (c *coded[T]) read() []func(context.Context) error {
	if c.codes == nil {
		return nil
	}
	return c.each(c.name, func(ctx context.Context, group, from, to int) error {
		isCoded, err := readCodes(ctx, c.leaf, c.groups[group], c.codes[group], c.column.Codes[from:to])
		if !isCoded {
			c.noCodes.Store(true)
		}
		return err
	})
}

func (c *coded[T]) readAgain() []func(context.Context) error {
	if !c.noCodes.Load() {
		return nil
	}
	c.column.Codes, c.column.Values = nil, make([]T, c.rows)
	return c.plain.read()
}

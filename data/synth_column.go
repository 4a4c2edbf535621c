package data

import (
	"context"
	"io"
	"math"
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// narrowed is the month in which TLC changed types: ids from INT64 to INT32,
// counts from DOUBLE to INT64, GZIP to ZSTD.
var narrowed = Month{2023, 2}

// synthColumn is a column of a synthesised file. One of text and number tells
// its values; "" and NaN become null.
type synthColumn struct {
	name   string
	node   parquet.Node
	text   func(*ride) string
	number func(*ride) float64
}

// synthColumns are TLC's columns for a taxi and a month, in TLC's order.
func synthColumns(taxi Taxi, m Month) []synthColumn {
	old := m.Compare(narrowed) < 0
	int64Type := annotated{Type: parquet.Int64Type}
	var id, count, ehail parquet.Type = annotated{Type: parquet.Int32Type}, int64Type, parquet.DoubleType
	if old {
		id, count, ehail = int64Type, parquet.DoubleType, nullInt32
	}
	number := func(name string, t parquet.Type, value func(*ride) float64) synthColumn {
		return synthColumn{name: name, node: parquet.Encoded(parquet.Leaf(t), &parquet.RLEDictionary), number: value}
	}
	stamp := func(name string, value func(*ride) float64) synthColumn {
		return synthColumn{name: name, node: parquet.TimestampAdjusted(parquet.Microsecond, false), number: value}
	}
	metered := func(value func(*ride) float64) func(*ride) float64 {
		return func(r *ride) float64 {
			if r.dispatched {
				return math.NaN()
			}
			return value(r)
		}
	}
	none := func(*ride) float64 { return math.NaN() }

	vendor := number("VendorID", id, vendor)
	pickup := func(r *ride) float64 { return float64(r.pickup) * 1e6 }
	dropoff := func(r *ride) float64 { return float64(r.dropoff) * 1e6 }
	flag := synthColumn{name: "store_and_fwd_flag", node: parquet.Encoded(parquet.String(), &parquet.RLEDictionary), text: storedAndForwarded}
	passengers := number("passenger_count", count, metered(passengers))
	miles := number("trip_distance", parquet.DoubleType, func(r *ride) float64 { return r.miles })
	rate := number("RatecodeID", count, metered(ratecode))
	pu := number("PULocationID", id, func(r *ride) float64 { return float64(r.from) })
	do := number("DOLocationID", id, func(r *ride) float64 { return float64(r.to) })
	money := []synthColumn{
		number("fare_amount", parquet.DoubleType, fare),
		number("extra", parquet.DoubleType, extra),
		number("mta_tax", parquet.DoubleType, mtaTax),
		number("tip_amount", parquet.DoubleType, tip),
		number("tolls_amount", parquet.DoubleType, tolls),
	}
	improvement := number("improvement_surcharge", parquet.DoubleType, func(*ride) float64 { return 0.3 })
	total := number("total_amount", parquet.DoubleType, totalAmount)
	congestion := number("congestion_surcharge", parquet.DoubleType, metered(congestion))

	if taxi == Yellow {
		airport := "airport_fee"
		if !old {
			airport = "Airport_fee"
		}
		columns := []synthColumn{
			vendor, stamp("tpep_pickup_datetime", pickup), stamp("tpep_dropoff_datetime", dropoff),
			passengers, miles, rate, flag, pu, do,
			number("payment_type", int64Type, payment),
		}
		columns = append(columns, money...)
		return append(columns, improvement, total, congestion, number(airport, parquet.DoubleType, metered(func(*ride) float64 { return 0 })))
	}
	columns := []synthColumn{
		vendor, stamp("lpep_pickup_datetime", pickup), stamp("lpep_dropoff_datetime", dropoff),
		flag, rate, pu, do, passengers, miles,
	}
	columns = append(columns, money...)
	return append(columns,
		synthColumn{name: "ehail_fee", node: parquet.Leaf(ehail), number: none},
		improvement, total,
		number("payment_type", count, metered(payment)),
		number("trip_type", count, metered(tripType)),
		congestion)
}

// writeRides writes rides under columns, in one row group, as TLC does.
func writeRides(ctx context.Context, w io.Writer, columns []synthColumn, m Month, rides []ride) error {
	var codec compress.Codec = &parquet.Zstd
	if m.Compare(narrowed) < 0 {
		codec = &parquet.Gzip
	}
	root := orderedGroup{}
	for _, c := range columns {
		root.fields = append(root.fields, namedNode{parquet.Optional(c.node), c.name})
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("schema", root),
		parquet.Compression(codec), parquet.DataPageVersion(1), parquet.CreatedBy("taximeter", "0", "synth"))
	values := make([]parquet.Value, len(rides))
	for i, c := range columns {
		if err := ctx.Err(); err != nil {
			return err
		}
		for row := range rides {
			v := c.value(&rides[row])
			defined := 1
			if v.IsNull() {
				defined = 0
			}
			values[row] = v.Level(0, defined, i)
		}
		if _, err := out.ColumnWriters()[i].WriteRowValues(values); err != nil {
			return err
		}
	}
	return out.Close()
}

// value returns a ride's value in the column, in the column's physical type.
func (c *synthColumn) value(r *ride) parquet.Value {
	if c.text != nil {
		if s := c.text(r); s != "" {
			return parquet.ByteArrayValue([]byte(s))
		}
		return parquet.NullValue()
	}
	v := c.number(r)
	if math.IsNaN(v) {
		return parquet.NullValue()
	}
	switch c.node.Type().Kind() {
	case parquet.Int32:
		return parquet.Int32Value(int32(v))
	case parquet.Int64:
		return parquet.Int64Value(int64(v))
	}
	return parquet.DoubleValue(v)
}

// annotated is a physical type under another annotation than the library's, or
// under none, as TLC's integers are.
type annotated struct {
	parquet.Type
	logical *format.LogicalType
}

func (t annotated) LogicalType() *format.LogicalType         { return t.logical }
func (t annotated) ConvertedType() *deprecated.ConvertedType { return nil }

// nullInt32 is what TLC's writer makes of columns without any value.
var nullInt32 = annotated{parquet.Int32Type, &format.LogicalType{Value: new(format.NullType)}}

// orderedGroup is a group whose fields stay in the order they were given.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

type namedNode struct {
	parquet.Node
	name string
}

func (n namedNode) Name() string { return n.name }

// Value is asked for by writers of Go values; columns are written here.
func (n namedNode) Value(base reflect.Value) reflect.Value {
	return base.FieldByName(n.name)
}

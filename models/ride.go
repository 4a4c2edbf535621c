package models

import (
	"sync"
	"sync/atomic"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
)

// compiled is a model's trees, made ready for what its vectorizer makes, when
// that is first asked for. Copies of a Model share it.
type compiled struct {
	once      sync.Once
	predictor *gbt.Predictor
	zones     *zoneRows // nil where single rides go the way of many
}

// predictor returns m's trees compiled.
func (m *Model) predictor() *gbt.Predictor {
	m.compiled.once.Do(func() {
		layout, err := m.Vectorizer.Transform(features.FromRides(m.Encoding, nil))
		if err != nil {
			panic(err) // check has tried it
		}
		m.compiled.predictor = m.Trees.Compile(layout)
		m.compiled.zones = newZoneRows(m.Encoding, layout)
	})
	return m.compiled.predictor
}

// fewRides are predicted one by one.
const fewRides = 8

// ride predicts one ride. It allocates nothing but at the first ride between
// two zones. It reports false if it cannot.
func (m *Model) ride(r features.Ride, out *float32) bool {
	if m.compiled == nil || m.Kind != GBT {
		return false
	}
	p := m.predictor()
	z := m.compiled.zones
	if z == nil {
		return false
	}
	row := z.find(m, r.PULocationID, r.DOLocationID)
	if row == nil {
		return false
	}
	codes, numbers := row.codes, row.numbers
	numbers[z.distance] = r.TripDistance
	if z.clipped {
		numbers[z.distance] = min(r.TripDistance, features.MaxMiles)
	}
	*out = p.PredictRow(codes[:z.blocks], numbers[:z.numbers])
	return true
}

// Zones that rows are kept for: TLC's, and data.NoZone, which is -1.
const (
	leastZone = -1
	zoneCount = 267
)

// zoneRows remembers what the vectorizer makes of two zones, so that a single
// ride need not be spelled out each time: at most 3 MB if all pairs were asked for.
type zoneRows struct {
	blocks, numbers int
	distance        int  // which number is the distance
	clipped         bool // to features.MaxMiles
	rows            [zoneCount * zoneCount]atomic.Pointer[zoneRow]
}

// zoneRow is a row of the matrix, but for the distance.
type zoneRow struct {
	codes   [2]int32
	numbers [3]float64
}

// newZoneRows returns nil if rows of the layout are not of the form kept here.
func newZoneRows(e features.Encoding, layout *matrix.Matrix) *zoneRows {
	z := &zoneRows{blocks: len(layout.Blocks), numbers: len(layout.Numbers), distance: -1, clipped: e == e.Clipped()}
	if z.blocks > len(zoneRow{}.codes) || z.numbers > len(zoneRow{}.numbers) {
		return nil
	}
	names := e.Names()
	for i, n := range layout.Numbers {
		if n.Name == names[len(names)-1] {
			z.distance = i
		}
	}
	if z.distance < 0 {
		return nil
	}
	return z
}

// find returns the row of two zones, nil if they are none of TLC's.
func (z *zoneRows) find(m *Model, pickup, dropoff int32) *zoneRow {
	from, to := uint32(pickup-leastZone), uint32(dropoff-leastZone)
	if from >= zoneCount || to >= zoneCount {
		return nil
	}
	at := &z.rows[from*zoneCount+to]
	if row := at.Load(); row != nil {
		return row
	}
	x, err := m.Vectorizer.Transform(features.FromRides(m.Encoding, []features.Ride{{PULocationID: pickup, DOLocationID: dropoff}}))
	if err != nil {
		return nil
	}
	row := &zoneRow{}
	for i := range x.Blocks {
		row.codes[i] = x.Blocks[i].Codes[0]
	}
	for i := range x.Numbers {
		row.numbers[i] = x.Numbers[i].Values[0]
	}
	at.Store(row)
	return row
}

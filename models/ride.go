package models

import (
	"sync"
	"sync/atomic"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
)

// compiled is what a model's rides are predicted by, made ready when that is
// first asked for. Copies of a Model share it.
type compiled struct {
	once      sync.Once
	layout    *matrix.Matrix // of what the vectorizer makes; without rows
	predictor *gbt.Predictor // of trees
	zones     *zoneRows      // nil where single rides go the way of many
}

// ready returns m's regressor, ready to predict.
func (m *Model) ready() *compiled {
	c := m.compiled
	c.once.Do(func() {
		var err error
		if c.layout, err = m.Vectorizer.Transform(features.FromRides(m.Encoding, nil)); err != nil {
			panic(err) // check has tried it
		}
		if m.Kind == GBT {
			c.predictor = m.Trees.Compile(c.layout)
		}
		c.zones = newZoneRows(m.Encoding, c.layout)
	})
	return c
}

// fewRides are predicted one by one.
const fewRides = 8

// ride predicts one ride. It allocates nothing but at the first ride between
// two zones. It reports false if it cannot.
func (m *Model) ride(r features.Ride, out *float32) bool {
	if m.compiled == nil {
		return false
	}
	c := m.ready()
	if c.zones == nil {
		return false
	}
	z := c.zones
	row := z.find(m, r.PULocationID, r.DOLocationID)
	if row == nil {
		return false
	}
	codes, numbers := row.codes, row.numbers
	numbers[z.distance] = r.TripDistance
	if z.clipped {
		numbers[z.distance] = min(r.TripDistance, features.MaxMiles)
	}
	if c.predictor != nil {
		*out = c.predictor.PredictRow(codes[:z.blocks], numbers[:z.numbers])
	} else {
		*out = m.Linear.PredictRow(c.layout, codes[:z.blocks], numbers[:z.numbers])
	}
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

package gbt

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// pieceWidth is the classes a piece spans: with its key it is 128 bytes, two
// lines of a core's cache.
const pieceWidth = 30

// maxPieces bounds the memory of one Predictor's pieces to 64 MB; a quarter of
// them stays free, so that searches end soon.
const maxPieces = 1 << 19

// piece is what an ensemble predicts in pieceWidth neighbouring classes of the
// inner axis, all other axes being at one class each. The values are not
// changed once the key is there.
type piece struct {
	key    atomic.Uint64 // one more than the piece's key; 0: the piece is free
	values [pieceWidth]float32
}

// pieceSet is a hash table of pieces, that only grows. Finding waits for nobody.
type pieceSet struct {
	table atomic.Pointer[pieceTable]
	most  int          // size the table may grow to, a power of two
	add   sync.Mutex   // held to add pieces
	count atomic.Int64 // pieces in the table
}

// pieceTable is open to reading at any time; pieces are only ever added to it.
type pieceTable struct {
	shift  uint // 64 less the bits of an index
	pieces []piece
}

// home is the index where the search for a key begins: Fibonacci hashing.
func (t *pieceTable) home(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> t.shift }

// find returns the piece of a key, or nil.
func (t *pieceTable) find(key uint64) *piece {
	last := uint64(len(t.pieces) - 1)
	for i := t.home(key); ; i++ {
		switch c := &t.pieces[i&last]; c.key.Load() {
		case key + 1:
			return c
		case 0:
			return nil
		}
	}
}

// put adds a piece that is not there yet.
func (t *pieceTable) put(key uint64, values *[pieceWidth]float32) {
	last := uint64(len(t.pieces) - 1)
	i := t.home(key)
	for t.pieces[i].key.Load() != 0 {
		i = (i + 1) & last
	}
	c := &t.pieces[i]
	c.values = *values
	c.key.Store(key + 1)
}

// grow makes the table, or one twice as large.
func (s *pieceSet) grow() *pieceTable {
	old := s.table.Load()
	size := min(256, s.most)
	if old != nil {
		size = 2 * len(old.pieces)
	}
	t := &pieceTable{shift: uint(65 - bits.Len(uint(size))), pieces: make([]piece, size)}
	if old != nil {
		for i := range old.pieces {
			if c := &old.pieces[i]; c.key.Load() != 0 {
				t.put(c.key.Load()-1, &c.values)
			}
		}
	}
	s.table.Store(t)
	return t
}

// full tells whether memory is at its bound.
func (s *pieceSet) full() bool { return int(s.count.Load()) >= s.most/4*3 }

// put adds a piece, unless it is there or memory is full.
func (s *pieceSet) put(key uint64, values *[pieceWidth]float32) {
	s.add.Lock()
	defer s.add.Unlock()
	t := s.table.Load()
	if s.full() || t.find(key) != nil {
		return
	}
	if int(s.count.Load()) >= len(t.pieces)/2 && len(t.pieces) < s.most {
		t = s.grow()
	}
	t.put(key, values)
	s.count.Add(1)
}

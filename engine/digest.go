package engine

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"reflect"
	"sort"
)

// Digester is a value that knows its own identity, such as the hash of a large
// content. Equal values must have equal digests, in every process.
type Digester interface{ CacheDigest() string }

// Digest identifies v by its content: two values of equal content have equal
// digests in every process. A struct's fields tagged `cache:"-"` do not count.
// What cannot be seen whole (a function, a channel, a struct with unexported
// fields and no marshaler, a value that holds itself) is an error, so that no call is answered from the
// cache by mistake.
func Digest(v any) (string, error) {
	d := digester{sha256.New()}
	if err := d.add(reflect.ValueOf(v), 0); err != nil {
		return "", err
	}
	return d.sum(), nil
}

// digestBytes identifies encoded bytes.
func digestBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// combine identifies a list of digests, of what kind.
func combine(kind string, digests ...string) string {
	d := digester{sha256.New()}
	d.text(kind)
	for _, s := range digests {
		d.text(s)
	}
	return d.sum()
}

type digester struct{ hash.Hash }

// deepest is how deep a value may be: one that holds itself has no end.
const deepest = 1000

func (d digester) sum() string { return hex.EncodeToString(d.Sum(nil)) }

func (d digester) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	d.Write(b[:])
}

// text writes s with its length, so that no two lists of texts look alike.
func (d digester) text(s string) {
	d.number(uint64(len(s)))
	d.Write([]byte(s))
}

// add adds a value that stands depth values deep.
func (d digester) add(v reflect.Value, depth int) error {
	if depth++; depth > deepest {
		return fmt.Errorf("digest a %s: it is more than %d values deep, or holds itself", v.Type(), deepest)
	}
	if !v.IsValid() {
		d.text("nil")
		return nil
	}
	if v.CanInterface() && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		if done, err := d.addOwn(v.Interface()); done {
			return err
		}
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.String:
		d.text(fmt.Sprint(v.Interface()))
	case reflect.Float32, reflect.Float64:
		d.number(math.Float64bits(v.Float()))
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			d.number(0)
			return nil
		}
		d.text(v.Elem().Type().String()) // behind an interface 1 and "1" are two values
		return d.add(v.Elem(), depth)
	case reflect.Slice, reflect.Array:
		d.number(uint64(v.Len()))
		for i := range v.Len() {
			if err := d.add(v.Index(i), depth); err != nil {
				return err
			}
		}
	case reflect.Map:
		return d.addMap(v, depth)
	case reflect.Struct:
		return d.addStruct(v, depth)
	default:
		return fmt.Errorf("digest a %s: its content cannot be seen", v.Type())
	}
	return nil
}

// addOwn adds a value that says itself what it is.
func (d digester) addOwn(v any) (done bool, err error) {
	var text []byte
	switch v := v.(type) {
	case Digester:
		text = []byte(v.CacheDigest())
	case json.Marshaler:
		text, err = v.MarshalJSON()
	case encoding.TextMarshaler:
		text, err = v.MarshalText()
	default:
		return false, nil
	}
	d.text(string(text))
	return true, err
}

func (d digester) addMap(v reflect.Value, depth int) error {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
	d.number(uint64(len(keys)))
	for _, k := range keys {
		if err := d.add(k, depth); err != nil {
			return err
		}
		if err := d.add(v.MapIndex(k), depth); err != nil {
			return err
		}
	}
	return nil
}

func (d digester) addStruct(v reflect.Value, depth int) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("cache") == "-" {
			continue
		}
		if !field.IsExported() {
			return fmt.Errorf("digest a %s: its field %s cannot be seen", v.Type(), field.Name)
		}
		d.text(field.Name)
		if err := d.add(v.Field(i), depth); err != nil {
			return err
		}
	}
	return nil
}

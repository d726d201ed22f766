package parsetest

import (
	"reflect"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Meaning is d as [Dump] writes it, without positions and without what depends on how the file is written: the same
// configuration in another shape means the same.
func Meaning(d *facts.Device) string {
	c := *d
	c.Lines, c.Unread, c.Format, c.Platform, c.Version = facts.Lines{}, nil, "", "", facts.V[string]{}
	var once []facts.Secret // a shape may say one on several lines
	for _, x := range d.Secrets {
		x.Span = evidence.Span{}
		if !slices.Contains(once, x) {
			once = append(once, x)
		}
	}
	c.Secrets = once
	v := reflect.New(reflect.TypeFor[facts.Device]()).Elem()
	unplaced(v, reflect.ValueOf(c))
	return Dump(v.Addr().Interface().(*facts.Device), nil)
}

// unplaced copies src to dst without positions.
func unplaced(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			unplaced(dst.Elem(), src.Elem())
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				unplaced(dst.Index(i), src.Index(i))
			}
		}
	case reflect.Struct:
		if src.Type() == reflect.TypeFor[evidence.Span]() {
			return
		}
		if src.Type().PkgPath() != reflect.TypeFor[facts.Device]().PkgPath() {
			dst.Set(src)
			return
		}
		for i := range src.NumField() {
			unplaced(dst.Field(i), src.Field(i))
		}
	default:
		dst.Set(src)
	}
}

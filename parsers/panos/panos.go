// Package panos reads PAN-OS configurations of firewalls and of Panorama: set commands (set cli config-output-format set),
// braces (show), and XML (the running configuration, exports, what Panorama pushed).
//
// All three shapes become one tree of words, so a statement is read once whatever its shape. A system's statements may
// lie below config, devices and its name, or begin with themselves; both are one place. What belongs to a virtual system
// has its name as scope, unless vsys1 is the only one: then, like shared objects, it has none. A device group of Panorama
// is a scope as well, and what a template states has the scope "template NAME".
//
// The one list of security rules of a scope is a filter that everything passes through: what Panorama puts before, the
// rules themselves, what Panorama puts behind. A filter of its own has the two rules every list ends with, intrazone-default
// and interzone-default, which nobody wrote. Rules see addresses before NAT and zones after it ("NAT Policy Overview",
// PAN-OS Networking Admin Guide). Traffic of an interface in no zone is dropped ("Security Zone Overview").
//
// A file is a whole configuration when it has deviceconfig, and network or Panorama's own statements, and was not cut;
// only then does a statement that is not there mean its default. Defaults are those of the schema of PAN-OS 10.0 that
// pan-os-php carries (lib/resources/panos-pa220-schema-v10_0_5.xml.gz), where no other source is named.
package panos

import (
	"context"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// A shape is how a configuration is written.
type shape uint8

const (
	setShape shape = iota
	braceShape
	xmlShape
)

// Set is the format of configurations as set commands.
func Set() facts.Format { return format("panos-set", facts.PANOSSet, setShape, detectSet) }

// Brace is the format of configurations in braces.
func Brace() facts.Format { return format("panos-config", facts.PANOSBrace, braceShape, detectBrace) }

// XML is the format of configurations in XML.
func XML() facts.Format { return format("panos-xml", facts.PANOSXML, xmlShape, detectXML) }

// Formats are all three.
func Formats() []facts.Format { return []facts.Format{Set(), Brace(), XML()} }

func format(name, platform string, s shape, detect func([]byte) facts.Confidence) facts.Format {
	return facts.Format{
		Name: name, Platform: platform,
		Detect: func(_ string, head []byte) facts.Confidence { return detect(head) },
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			if piece.From > 0 {
				return nil // a configuration is never split
			}
			src, more, err := tree.ReadSource(ctx, piece.File, sink)
			if err != nil {
				return err
			}
			p := newParser(piece.File, sink, src, s)
			p.d.Format, p.d.Platform = name, platform
			p.cut = more
			p.read()
			if err := ctx.Err(); err != nil {
				return err
			}
			sink.Device(p.d)
			return nil
		},
	}
}

package facts

// Junos configurations come in two shapes, and the corpus keeps a folder for each; Device.Platform names the shape.
// [PlatformFamily] is what both run.
const (
	JunosBrace = "juniper_junos_brace" // show configuration
	JunosSet   = "juniper_junos_set"   // show configuration | display set
)

// PlatformFamily is the platform p is a shape of: "juniper_junos" for both shapes of Junos, p itself for one that has
// no shapes.
func PlatformFamily(p string) string {
	switch p {
	case JunosBrace, JunosSet:
		return Junos
	}
	return p
}

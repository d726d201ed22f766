package hostfile

import "bytes"

// An Option is an option of a command line, and its value when it takes one.
type Option struct {
	Name  string // without hyphens: "c", "create"
	At    Part   // the option as it stands
	Value Part
	Has   bool // a value is there
}

// Takes says which options take a value: the letters of short ones as getopt(3) has them ("l:v" needs only "l"), and long
// ones by name.
type Takes struct {
	Short string
	Long  []string
}

// Options splits arguments into options and the rest, as getopt_long(3) does: "-ab", "-a value", "-avalue", "--name value",
// "--name=value"; "--" ends the options.
func Options(args []Part, takes Takes) (options []Option, rest []Part) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a.Is("--"):
			return options, append(rest, args[i+1:]...)
		case bytes.HasPrefix(a.Text, []byte("--")):
			o := Option{At: a}
			name := a.Text[2:]
			if eq := bytes.IndexByte(name, '='); eq >= 0 {
				o.Value, o.Has = a.From(2+eq+1), true
				name = name[:eq]
			}
			o.Name = string(name)
			if !o.Has && takes.long(o.Name) && i+1 < len(args) {
				i++
				o.Value, o.Has = args[i], true
			}
			options = append(options, o)
		case len(a.Text) > 1 && a.Text[0] == '-':
			for j := 1; j < len(a.Text); j++ {
				o := Option{Name: string(a.Text[j]), At: a}
				if bytes.IndexByte([]byte(takes.Short), a.Text[j]) >= 0 {
					if j+1 < len(a.Text) {
						o.Value, o.Has = a.From(j+1), true
						j = len(a.Text)
					} else if i+1 < len(args) {
						i++
						o.Value, o.Has = args[i], true
					}
				}
				options = append(options, o)
			}
		default:
			rest = append(rest, a)
		}
	}
	return options, rest
}

func (t Takes) long(name string) bool {
	for _, l := range t.Long {
		if l == name {
			return true
		}
	}
	return false
}

package hostsvc

import (
	"bytes"
	"path"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Crontab reads crontab(5): the system's (/etc/crontab and /etc/cron.d), whose lines name a user before the command, and
// those of users. The file's place tells which it is; elsewhere a file is not taken for one.
func Crontab() facts.Format {
	return format("crontab", hostfile.Syntax{Comments: "#"}, func(name string, head []byte) facts.Confidence {
		named := hostfile.Named(name, "crontab") || hostfile.Below(name, "cron.d") || hostfile.Below(name, "crontabs") || hostfile.Below(name, "spool/cron")
		return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
			_, _, job := cronTimes(hostfile.Part{Text: line})
			return job || cronVariable(line), job && named
		}).Confidence(named)
	}, readCrontab)
}

func cronVariable(line []byte) bool {
	name, _, found := bytes.Cut(line, []byte("="))
	name = bytes.TrimSpace(name)
	return found && len(name) > 0 && len(bytes.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")) == 0
}

// cronTimes splits a job's times from the rest: five fields, or one "@" word.
func cronTimes(p hostfile.Part) (times, rest hostfile.Part, ok bool) {
	p = p.Trim()
	if len(p.Text) > 0 && p.Text[0] == '@' {
		times, rest = p.Word()
		switch times.String() {
		case "@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly":
			return times, rest, len(rest.Text) > 0
		}
		return times, rest, false
	}
	rest = p
	for range 5 {
		var w hostfile.Part
		if w, rest = rest.Word(); len(w.Text) == 0 || w.Text[0] != '*' && (w.Text[0] < '0' || w.Text[0] > '9') && !cronName(w) {
			return p, rest, false
		}
	}
	return p.Slice(0, rest.At-p.At).Trim(), rest, len(rest.Text) > 0
}

// cronName is a month or a day of the week, with what may follow it.
func cronName(w hostfile.Part) bool {
	const names = "jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun"
	return len(w.Text) >= 3 && strings.Contains(names, strings.ToLower(string(w.Text[:3]))) && (len(w.Text) == 3 || bytes.IndexByte([]byte("-,/"), w.Text[3]) >= 0)
}

func readCrontab(f *hostfile.File, name string) {
	system := hostfile.Named(name, "crontab") && !hostfile.Below(name, "crontabs") || hostfile.Below(name, "cron.d")
	user := ""
	if hostfile.Below(name, "crontabs") || hostfile.Below(name, "spool/cron") {
		user = path.Base(name)
	}
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		times, command, job := cronTimes(l.Part)
		switch {
		case !job && cronVariable(l.Text):
			l.Skip()
			continue
		case !job:
			continue
		}
		h := facts.Hook{Kind: facts.HookCron, Name: "cron " + hostfile.Place(name), Trigger: times.String(), User: user, Enabled: facts.Say(true, f.Span(l.Part)), Span: f.Span(l.Part)}
		if system {
			who, rest := command.Word()
			if len(rest.Text) == 0 {
				continue
			}
			h.User, command = who.String(), rest
		}
		l.OK()
		f.Command(&h, command, "scheduler")
		f.Device.Hooks = append(f.Device.Hooks, h)
	}
}

package cisconxos

import (
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// scheduler reads "scheduler job name J" with its commands, and "scheduler schedule name S" with its jobs and times.
func scheduler(s *cli.Stmt) bool {
	switch {
	case s.Is(1, "job", "name"):
		if s.No {
			return s.OK()
		}
		h := s.R.Hook(facts.HookScheduler, "scheduler job "+s.Keep(3), s.Span())
		at := len(s.R.D.Hooks) - 1
		h.Trigger = "scheduler"
		s.OK()
		read := func(c *cli.Stmt) {
			c.OK()
			if c.Is(0, "end-job") {
				return
			}
			for part := range strings.SplitSeq(c.Rest(0), ";") { // commands stand on one line
				c.R.Does(&c.R.D.Hooks[at], "scheduler", strings.TrimSpace(part), c.Span())
			}
		}
		s.Each(read)
		if len(s.R.D.Hooks[at].Commands) == 0 { // the device prints them without indentation
			s.Until("end-job", read)
		}
		return true
	case s.Is(1, "schedule", "name"):
		var jobs []string
		trigger, period := "", time.Duration(0)
		s.Block(func(c *cli.Stmt) bool {
			switch {
			case c.Is(0, "job", "name"):
				jobs = append(jobs, "scheduler job "+c.Word(2))
				return c.OK()
			case c.Is(0, "time"):
				trigger = c.Rest(0)
				switch c.Word(1) {
				case "daily":
					period = 24 * time.Hour
				case "weekly":
					period = 7 * 24 * time.Hour
				case "monthly":
					period = 30 * 24 * time.Hour
				}
				return c.OK()
			}
			return false
		})
		for i := range s.R.D.Hooks {
			h := &s.R.D.Hooks[i]
			for _, j := range jobs {
				if h.Name == j {
					h.Trigger, h.Period = s.R.Keep(trigger), period
				}
			}
		}
		for i := range s.R.D.Clients {
			for _, j := range jobs {
				if c := &s.R.D.Clients[i]; c.Name == j {
					c.Automatic, c.Period = true, period
				}
			}
		}
		return true
	}
	return s.Skip()
}

// event reads "event manager applet A" with its trigger and actions.
func event(s *cli.Stmt) bool {
	if !s.Is(1, "manager") {
		return false
	}
	if !s.Is(2, "applet") || s.No {
		return s.Skip()
	}
	s.R.Hook(facts.HookApplet, "event manager applet "+s.Keep(3), s.Span())
	at := len(s.R.D.Hooks) - 1
	var actions []*cli.Stmt
	s.OK()
	s.Each(func(c *cli.Stmt) {
		switch c.Word(0) {
		case "event":
			s.R.D.Hooks[at].Trigger = s.R.Keep(c.Rest(0))
			c.OK()
		case "action":
			actions = append(actions, c)
			c.OK()
		case "description":
			c.OK()
		default:
			c.Skip()
		}
	})
	for _, c := range actions { // the trigger may stand below them
		text := c.Rest(2)
		if c.Is(2, "cli") {
			text = strings.TrimPrefix(strings.TrimPrefix(c.Rest(3), "local "), "command ")
		}
		c.R.Does(&c.R.D.Hooks[at], "event", text, c.Span())
	}
	return true
}

// alias reads "cli alias name A COMMAND" and "cli var name V TEXT".
func alias(s *cli.Stmt) bool {
	if s.Is(1, "alias", "name") && !s.No {
		s.R.Hook(facts.HookAlias, "cli alias "+s.Keep(3), s.Span())
		at := len(s.R.D.Hooks) - 1
		s.R.Does(&s.R.D.Hooks[at], "script", s.Rest(4), s.Span())
		return s.OK()
	}
	return s.Skip()
}

// flow reads NetFlow: exporters with their destinations, monitors, records.
func flow(s *cli.Stmt) bool {
	if s.Is(1, "exporter") && !s.No {
		host, port, scope := "", "", ""
		var at *cli.Stmt
		s.Block(func(c *cli.Stmt) bool {
			switch {
			case c.Is(0, "destination"):
				host, scope, at = c.Word(1), c.After(2, "use-vrf"), c
				return c.OK()
			case c.Is(0, "transport", "udp"):
				port = c.Word(2)
				return c.OK()
			}
			return c.All()
		})
		if at != nil {
			at.ExportTo(host, port, scope)
		}
		return true
	}
	return s.All()
}

func sflow(s *cli.Stmt) bool {
	switch {
	case s.Is(1, "collector-ip"):
		return s.ExportTo(s.Word(2), s.After(3, "port"), s.After(3, "vrf"))
	case s.Is(1, "data-source"):
		return s.Measures()
	}
	return s.OK()
}

// nxapi reads the ports of NX-API.
func nxapi(s *cli.Stmt) bool {
	if s.Is(1, "http", "port") {
		s.Serve(facts.Service{Protocol: facts.HTTP, Name: "nxapi http", Role: facts.RoleShell, Port: 80})
		return true
	}
	if s.Is(1, "use-vrf") {
		return s.OK()
	}
	return s.All()
}

// vlanMap reads VLAN access maps: they filter frames inside a VLAN, by lists.
func vlanMap(s *cli.Stmt) bool {
	if s.Is(1, "filter") {
		return s.Unsupported("filters of VLANs are not modelled")
	}
	s.Each(func(c *cli.Stmt) {
		if c.Is(0, "match") {
			c.Refer(c.Word(len(c.W)-1), "vlan access-map")
		}
		c.OK()
	})
	return s.Unsupported("filters of VLANs are not modelled")
}

// references looks for the lists that a block names.
func references(s *cli.Stmt, by string) {
	s.Each(func(c *cli.Stmt) {
		switch {
		case c.Is(0, "match", "ip", "address"), c.Is(0, "match", "ipv6", "address"), c.Is(0, "match", "access-group", "name"):
			if !c.Is(3, "prefix-list") {
				for i := 3; i < len(c.W); i++ {
					c.Refer(c.W[i], by+" match")
				}
			}
		}
		references(c, by)
	})
}

// timeRange reads a time range: what it says is known, and no question asks NX-OS times yet, so that its lines are undecided.
func timeRange(s *cli.Stmt) bool { return s.Unsupported("time ranges are not modelled") }

// boot reads "boot nxos|kickstart|system FILE", "boot poap enable".
func boot(s *cli.Stmt) bool {
	switch {
	case s.Is(1, "poap"):
		if c := s.R.Client("boot-config", "boot poap", cli.Link{}, s.Span()); c != nil {
			c.Protocol, c.Automatic, c.Enabled = facts.TFTP, true, facts.Say(s.Is(2, "enable") && !s.No, s.Span())
		}
		return s.OK()
	default:
		if l, ok := s.FindLink(2); ok && !s.No {
			s.R.Client("boot-system", "boot "+s.Keep(1), l, s.Span()).Automatic = true
		}
		return s.OK()
	}
}

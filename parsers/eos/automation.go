package eos

import (
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// daemon reads "daemon D" with its "exec": a program of the underlying Linux that EOS keeps running.
func daemon(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	s.R.Hook(facts.HookScript, "daemon "+s.Keep(1), s.Span())
	at := len(s.R.D.Hooks) - 1
	s.R.D.Hooks[at].Trigger = "always"
	return s.Block(func(c *cli.Stmt) bool {
		switch c.Word(0) {
		case "exec":
			s.R.Does(&s.R.D.Hooks[at], "script", c.Rest(1), c.Span())
			return c.OK()
		case "shutdown":
			s.R.D.Hooks[at].Enabled = facts.Say(c.No, c.Span())
			return c.OK()
		}
		return false
	})
}

// handler reads "event-handler H" with its trigger and actions.
func handler(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	s.R.Hook(facts.HookApplet, "event-handler "+s.Keep(1), s.Span())
	at := len(s.R.D.Hooks) - 1
	var actions []*cli.Stmt
	s.Block(func(c *cli.Stmt) bool {
		switch c.Word(0) {
		case "trigger":
			s.R.D.Hooks[at].Trigger = s.R.Keep(c.Rest(1))
			return c.All()
		case "action":
			actions = append(actions, c)
			return c.OK()
		}
		return false
	})
	for _, c := range actions {
		i := 1
		if c.Is(1, "bash") || c.Is(1, "increment") || c.Is(1, "log") {
			i = 2
		}
		c.R.Does(&c.R.D.Hooks[at], "event", c.Rest(i), c.Span())
	}
	return true
}

// alias reads "alias A COMMAND" and an alias of several commands.
func alias(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	if s.Is(1, "commands", "path") {
		return s.OK()
	}
	s.R.Hook(facts.HookAlias, "alias "+s.Keep(1), s.Span())
	at := len(s.R.D.Hooks) - 1
	if len(s.W) > 2 {
		s.R.Does(&s.R.D.Hooks[at], "script", s.Rest(2), s.Span())
	}
	s.OK()
	s.Each(func(c *cli.Stmt) {
		i := 0
		if _, err := strconv.Atoi(c.Word(0)); err == nil {
			i++
		}
		s.R.Does(&s.R.D.Hooks[at], "script", c.Rest(i), c.Span())
		c.All()
	})
	return true
}

// schedule reads "schedule N [at T] interval M ... command COMMAND".
func schedule(s *cli.Stmt) bool {
	i := s.Find(2, "command")
	if s.No || i < 0 {
		return s.OK() // schedule config, no schedule
	}
	h := s.R.Hook(facts.HookScheduler, "schedule "+s.Keep(1), s.Span())
	h.Trigger = s.R.Keep(strings.Join(s.W[2:i], " "))
	if m, err := strconv.Atoi(s.After(2, "interval")); err == nil {
		h.Period = cli.Minutes(m)
	}
	s.R.Does(h, "scheduler", s.Rest(i+1), s.Span())
	return s.OK()
}

// dhcpServer reads the options of the DHCP server that make clients fetch files.
func dhcpServer(s *cli.Stmt, name string) bool {
	return s.Block(func(c *cli.Stmt) bool {
		switch {
		case c.Is(0, "tftp", "server", "file"):
			for i := 3; i < len(c.W); i++ {
				if l, ok := c.Link(i); ok {
					c.R.Client("dhcp-option", name+" tftp server file", l, c.Span()).Automatic = true
					return c.OK()
				}
			}
			x := c.R.Client("dhcp-option", name+" tftp server file", cli.Link{}, c.Span())
			x.Protocol, x.Path, x.Automatic = facts.TFTP, c.R.Keep(c.Word(len(c.W)-1)), true
			return c.OK()
		case c.Is(0, "tftp", "server", "option"):
			x := c.R.Client("dhcp-option", name+" tftp server option "+c.Keep(3), cli.Link{}, c.Span())
			x.Protocol, x.Automatic = facts.TFTP, true
			x.Host, x.Addr = c.R.Host(c.Word(len(c.W) - 1))
			return c.OK()
		case c.Is(0, "subnet"), c.Is(0, "vrf"), c.Is(0, "client"), c.Is(0, "reservations"), c.Is(0, "assignments"):
			return dhcpServer(c, name)
		}
		return false
	})
}

// sflow reads sFlow: collectors in the global VRF and in others, and whether it runs.
func sflow(s *cli.Stmt) bool {
	i, scope := 1, ""
	if s.Is(1, "vrf") {
		i, scope = 3, s.Word(2)
	}
	switch s.Word(i) {
	case "destination":
		return s.ExportTo(s.Word(i+1), s.Word(i+2), scope)
	case "run":
		return s.Measures() // without it nothing is sent
	case "sample":
		if n, err := strconv.Atoi(s.Word(len(s.W) - 1)); err == nil {
			s.R.D.Logging.FlowSampling = facts.Say(n, s.Span())
		}
		return s.OK()
	}
	return s.OK()
}

// tracking reads flow tracking: trackers with exporters with collectors, and whether it is on.
func tracking(s *cli.Stmt) bool {
	return s.Block(func(c *cli.Stmt) bool {
		switch c.Word(0) {
		case "tracker", "exporter":
			return tracking(c)
		case "collector":
			return c.ExportTo(c.Word(1), c.After(2, "port"), "")
		case "shutdown":
			if c.No {
				return c.Measures()
			}
			return c.OK()
		}
		return c.All()
	})
}

package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// ManagementAccess is QM2015.
func ManagementAccess() *audit.Check {
	return &audit.Check{
		ID: "QM2015", Slug: "acl-mgmt-access-open", Title: "Management access not limited to management sources", Severity: audit.High,
		Doc: `A way to log in to the device, or to manage it, takes clients that are not in the management network.

## Why it matters

With a password that was guessed or bought (T1078, T1133), whoever reaches the login has the device, its copy command and its
filters. A list of the management network makes the password worth little.

## How it is decided

For every login line and management service (SSH, Telnet, HTTP, HTTPS, NETCONF and their likes): the interfaces it answers on,
what their filters, host-inbound services and the control plane let in, and the list of clients, asked exactly. It is reported
when clients from outside reach it, or inside clients that are in no zone of kind management. Where the policy names no
management zone, a list that keeps outside away is enough.

Undefined and empty lists count as what the platform makes of them: no limit on IOS. Console and auxiliary lines are not meant.

## How it can be wrong

That other devices in front keep clients away is not claimed: outside clients count where the device has a border of its own.

## Tunables

"zones" with kind management.
`,
		Variants: reachVariants()[:2], Attack: []string{"T1133", "T1078", "T1021.004"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-IOS 1.2.4", "CIS-NX 1.2.1", "CIS-JUN 2.1", "CISC-ND-000140", "NSA 7.4", "PCI 1.4.2"},
		False:    "a console that is kept for emergencies",
		Fixes: map[string]string{
			facts.CiscoIOS: "ip access-list standard MGMT\n permit <network of management>\nline vty 0 15\n access-class MGMT in vrf-also",
			facts.CiscoASA: "ssh <network of management> <mask> <interface>",
			facts.PANOS:    "set network profiles interface-management-profile <profile> permitted-ip <network of management>",
			facts.FortiOS:  "config system admin\n edit <name>\n  set trusthost1 <network of management>",
			facts.Junos:    "set firewall family inet filter RE-IN term mgmt from source-prefix-list MGMT\nset interfaces lo0 unit 0 family inet filter input RE-IN",
			"":             "limit the clients of the service to the management network",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig}, Device: managementAccess,
	}
}

// managing are the ways of managing a device by the words that parsers give them, with their TCP ports.
var managing = map[string]uint16{"ssh": 22, "telnet": 23, "http": 80, "https": 443, "netconf": 830, "restconf": 443, "all": 22, "rlogin": 513, "gnmi": 9339, "web": 443, "winbox": 8291, "api": 8728}

// An opening is what some ways to log in have in common: who reaches them, and why.
type opening struct {
	reach  judge.Reach
	names  []string // of the ways
	by     []string // protocols
	stated bool     // the protocols are
	marks  []audit.Mark
}

func managementAccess(p *audit.Pass, d *facts.Device) {
	zoned := slices.ContainsFunc(p.Policy.Zones, func(z policy.Zone) bool { return z.Kind == "management" })
	var order []*opening
	by := map[string]*opening{}
	for i := range d.Access {
		a := &d.Access[i]
		vty := strings.HasPrefix(a.Name, "line vty")
		if facts.Off(a.Enabled) || strings.HasPrefix(a.Name, "line ") && !vty {
			continue
		}
		words := a.In.Val
		if !a.In.Known() && vty {
			words = []string{"ssh"} // which protocol is the default is the release's; that there is one is not
		}
		worst, names := reachOf(p, d, a, words, zoned)
		if len(names) == 0 {
			continue
		}
		// Lines of one kind with one list are one finding.
		key := fmt.Sprint(vty, a.Where, a.Scope, a.ACL.Val, worst)
		o := by[key]
		if o == nil {
			o = &opening{reach: worst}
			by[key] = o
			order = append(order, o)
		}
		o.add(d, a, names)
	}
	for _, o := range order {
		o.report(p, d)
	}
}

// reachOf is how far out the protocol of a that most clients reach does, and the protocols that are open too far.
func reachOf(p *audit.Pass, d *facts.Device, a *facts.Access, words []string, zoned bool) (worst judge.Reach, names []string) {
	for _, word := range words {
		port, ok := managing[word]
		if !ok {
			continue
		}
		r := judge.Service(p, d, judge.Listener{Transport: facts.TCP, Port: port, Bind: a.Where, Scope: a.Scope, ACL: a.ACL})
		r = byClients(p, a, r)
		limited := r.Limited || len(a.Clients) > 0
		if r.Factor <= audit.ExposureManagement || !zoned && limited && r.Factor < audit.ExposureUntrusted {
			continue
		}
		if r.Factor > worst.Factor {
			worst = r
		}
		if word == "all" {
			word = "every protocol"
		}
		names = append(names, word)
	}
	return worst, names
}

func (o *opening) add(d *facts.Device, a *facts.Access, by []string) {
	name := a.Name
	if a.Where != "" {
		name += " on " + a.Where
	}
	if a.Scope != "" && a.Scope != a.Where {
		name += " in " + a.Scope
	}
	if !slices.Contains(o.names, name) {
		o.names = append(o.names, name)
	}
	for _, x := range by {
		if !slices.Contains(o.by, x) {
			o.by = append(o.by, x)
		}
	}
	o.stated = o.stated || a.In.Known()
	o.marks = judge.Mark(judge.Mark(o.marks, "", a.Span), "client list", a.ACL.Span)
	if a.ACL.Known() && a.ACL.Val != "" {
		o.marks = judge.Defined(o.marks, d, a.ACL.Val, a.Scope)
	}
}

func (o *opening) report(p *audit.Pass, d *facts.Device) {
	how := ""
	if o.stated {
		how = " by " + judge.Join(o.by)
	}
	f := audit.Finding{
		Variant: reachVariant(o.reach), Subject: audit.Subject{Kind: "access", Name: strings.Join(o.names, ", ")},
		Severity: audit.Score(.65, o.reach.Factor, audit.PrivilegeDevice, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s takes management sessions on %s%s from %s", d.ID, quoteAll(o.names), how, o.reach.Who), Spans: o.marks, Signal: audit.Signal{Weight: .15, Class: "CFG"},
	}
	if o.reach.Unknown != "" {
		f.Evidence = map[string]string{"clients": "counted as outside: " + o.reach.Unknown}
		f.Confidence = audit.ConfidenceMedium
	}
	p.Report(f)
}

// byClients narrows a reach to the networks that may connect, where they are stated beside the service.
func byClients(p *audit.Pass, a *facts.Access, r judge.Reach) judge.Reach {
	if len(a.Clients) == 0 || slices.ContainsFunc(a.Clients, func(n netip.Prefix) bool { return n.Bits() == 0 }) {
		return r
	}
	out := judge.Reach{Factor: audit.ExposureHost, Who: "one host", Limited: true}
	for _, n := range a.Clients {
		z := p.Zone(n.Addr())
		switch {
		case z.Trust == policy.External:
			out.Factor, out.Who = max(out.Factor, audit.ExposureUntrusted), fmt.Sprintf("addresses outside (%s)", n)
		case z.Kind == "management":
			out.Factor = max(out.Factor, audit.ExposureManagement)
		case out.Factor < audit.ExposureZone:
			out.Factor, out.Who = audit.ExposureZone, fmt.Sprintf("zone %s (%s)", z.Name, n)
		}
	}
	if r.Factor < out.Factor {
		return r // filters in front keep those away
	}
	return out
}

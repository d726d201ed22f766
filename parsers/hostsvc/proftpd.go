package hostsvc

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// ProFTPD reads proftpd.conf and the files it includes (the directives of ProFTPD 1.3.8): "Directive arguments" and blocks
// "<Kind arguments>" to "</Kind>". The last of one directive in one context counts; what <Global> says is said for every
// server that does not say it itself.
func ProFTPD() facts.Format {
	return format("proftpd-config", hostfile.Syntax{Comments: "#", Continue: true}, func(name string, head []byte) facts.Confidence {
		named := hostfile.Named(name, "proftpd.conf") || hostfile.Below(name, "proftpd") || hostfile.Below(name, "proftpd/conf.d")
		return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
			if line[0] == '<' {
				kind, _ := word(bytes.Trim(line, "</>"))
				telling, known := proBlocks[strings.ToLower(string(kind))]
				return known && line[len(line)-1] == '>', telling
			}
			key, rest := word(line)
			why, core := proDirectives[strings.ToLower(string(key))]
			_, known := proDirective(string(key))
			return known && len(rest) > 0 && key[0]-'A' <= 'Z'-'A', core && why != proShared
		}).Confidence(named)
	}, func(f *hostfile.File, _ string) { readProFTPD(f) })
}

// proBlocks are the kinds of blocks; those of true no other server has.
var proBlocks = map[string]bool{
	"global": true, "virtualhost": false, "anonymous": true, "directory": false, "limit": false, "ifmodule": false, "ifdefine": false, "ifauthenticated": true, "ifclass": true,
	"ifuser": true, "ifgroup": true, "class": true,
}

const (
	proUsed   = ""
	proShared = "a word that other servers use as well"
)

// proDirectives are those that are read, and those of the core of which this is why they do not bear on transfers. Names
// of modules' directives have a prefix of their own, see proPrefixes.
var proDirectives = table(map[string]string{
	proUsed: `servertype,defaultaddress,defaultroot,transferlog,extendedlog,tlsengine,tlsrequired,tlsoptions,sftpengine,allowoverwrite,
		sqlconnectinfo,userpassword,ldapbinddn,radiusauthserver,radiusacctserver,allowforeignaddress,denyall,allowall,anonrequirepassword,
		allowuser,denyuser,allowgroup,denygroup,allowclass,denyclass,loadmodule,rootrevoke,execoncommand,execonconnect,execonevent,execonexit,execonerror,
		execonrestart,sqlnamedconnectinfo,sftplog,anonrejectpasswords`,
	proShared: "port,include,user,group,order,allow,deny,umask,satisfy,servername,serveradmin,serveralias,serverident,setenv,unsetenv,define,trace,tracelog,pidfile",
	"texts and listings": `displaylogin,displaychdir,displayconnect,displayquit,displayfiletransfer,deferwelcome,accessgrantmsg,accessdenymsg,multilinerfc2228,multilinerfc2228on,
		showsymlinks,listoptions,listdisablelookups,timesgmt,uselocaltime,dirfakeuser,dirfakegroup,dirfakemode,hidefiles,hidegroup,hideuser,hidenoaccess,ignorehidden,
		showdotfiles,useglobbing,usereversedns,identlookups,from`,
	"limits": `timeoutnotransfer,timeoutstalled,timeoutidle,timeoutlogin,timeoutsession,timeoutlinger,maxinstances,maxclients,maxclientsperhost,maxclientsperuser,
		maxclientsperclass,maxhostsperuser,maxconnectionsperhost,maxconnectionrate,maxloginattempts,maxstorefilesize,maxretrievefilesize,maxtransfersperhost,maxtransfersperuser,
		maxcommandrate,maxpasswordsize,transferrate,rlimitcpu,rlimitmemory,rlimitopenfiles,rlimitchroot,commandbuffersize,tcpbacklog,tcpnodelay,socketoptions,transferpriority,
		transferoptions,ratios,authaliasonly,storeuniqueprefix`,
	"how users are told apart": `requirevalidshell,useftpusers,authorder,authuserfile,authgroupfile,authpam,authpamconfig,authusingalias,authfileoptions,authunixoptions,
		authgroupresolver,persistentpasswd,useralias,userdirroot,rootlogin,anonymousgroup,createhome,defaulttransfermode,defaultchdir,passwordechooff,
		groupowner,userowner,usersetgid,authpermitnopasswd,authoptions,groupgroup,regexoptions,lastlog,uselastlog,wtmplog,logininpasswd,loginpasswordprompt,useralterpasswd`,
	"how data connections are opened": "passiveports,masqueradeaddress,dynmasqrefresh,useipv6,socketbindtight,useproxyprotocol,proxyprotocolengine,passiveports,datatransfertype,ftpoptions,allowepsvall",
	"files and how they are stored": `allowfilter,denyfilter,pathallowfilter,pathdenyfilter,allowretrieverestart,allowstorerestart,allowlogsymlinks,allowchrootsymlinks,hiddenstores,
		deleteabortedstores,usesendfile,copyengine,copyoptions,fscachepolicy,fsoptions,vrootengine,vrootserverroot,vrootoptions,vrootalias,vrootlog,umaskdirectory`,
	"the process and its log": `systemlog,syslogfacility,sysloglevel,serverlog,logformat,logoptions,debuglevel,scoreboardfile,scoreboardmutex,scoreboardscrub,defaultserver,modulepath,
		moduleorder,modulecontrolsacls,capabilitiesengine,capabilitiesset,capabilitiesrootrevoke,usencoding,useencoding,langdefault,langengine,langpath,langoptions,
		factsadvertise,factsoptions,processtitles,multicastdns,cdpath,group,classes,inetd,eventlog,useutf8,timeoutscoreboard,includeoptions,protocols`,
})

// proPrefixes begin the names of modules' directives (contrib/ of 1.3.8).
var proPrefixes = []struct{ prefix, why string }{
	{"tls", "keys, versions and ciphers of TLS"}, {"sftp", "keys and ciphers of SSH"}, {"sql", "where accounts are"}, {"ldap", "where accounts are"},
	{"radius", "where accounts are"}, {"quota", "limits"}, {"ban", "clients that are refused for a while"}, {"controls", "the control socket"}, {"admincontrols", "the control socket"},
	{"ctrls", "the control socket"}, {"delay", "delays"}, {"wrap", ""}, {"rewrite", "names of files"}, {"geoip", ""}, {"snmp", "counters"}, {"dnsbl", ""},
	{"copy", "copies on the server"}, {"ratio", "limits"}, {"exec", "the settings of mod_exec"}, {"digest", "sums of files"}, {"facts", "listings"}, {"auth", "how users are told apart"},
	{"display", "texts"}, {"timeout", "limits"}, {"max", "limits"}, {"site", "commands of the server"}, {"log", "the shape of the log"}, {"redis", "where accounts are"},
	{"memcache", "where accounts are"}, {"otp", "how users are told apart"}, {"load", "limits"}, {"unique", "names of files"}, {"statcache", "how files are read"},
	{"qos", "how bytes are sent"}, {"shaper", "limits"}, {"proxy", ""}, {"ifsession", "sessions"}, {"dynmasq", "how data connections are opened"}, {"ident", "names"},
}

// proDirective is what a directive is to the facts.
func proDirective(name string) (why string, known bool) {
	name = strings.ToLower(name)
	if why, known = proDirectives[name]; known {
		return why, true
	}
	for _, p := range proPrefixes {
		if strings.HasPrefix(name, p.prefix) && len(name) > len(p.prefix) && p.why != "" {
			return p.why, true
		}
	}
	return "", false
}

// A proServer is the main server, a <VirtualHost>, <Global> or <Anonymous>.
type proServer struct {
	kind  string // "", "virtualhost", "global", "anonymous"
	args  hostfile.Part
	line  hostfile.Part
	up    *proServer // whose <Anonymous> it is
	set   map[string]hostfile.Part
	lines map[string]hostfile.Part
	maybe map[string]string // directives that hold only when a module is loaded, by its name
	when  string            // the module that the block itself needs

	noWrite, write hostfile.Part // limits on storing files
	login          *proLimit
}

// A proLimit is a <Limit LOGIN>.
type proLimit struct {
	line        hostfile.Part
	denyFirst   bool
	allow, deny []hostfile.Part
	all         int  // 1 AllowAll, -1 DenyAll
	users       bool // some users are let in wherever they come from
}

// A proBlock is an open block.
type proBlock struct {
	kind   string
	args   hostfile.Part
	server *proServer // it is one
	limit  *proLimit
}

type proftpd struct {
	f        *hostfile.File
	main     *proServer
	global   *proServer
	servers  []*proServer // virtual hosts and anonymous ones
	open     []proBlock
	loaded   map[string]bool
	included bool
}

func newPro(kind string, args, line hostfile.Part, up *proServer) *proServer {
	return &proServer{kind: kind, args: args, line: line, up: up, set: map[string]hostfile.Part{}, lines: map[string]hostfile.Part{}, maybe: map[string]string{}}
}

// proBuiltin are modules that every build has (proftpd -l of the default build).
var proBuiltin = []string{
	"mod_core.c", "mod_xfer.c", "mod_rlimit.c", "mod_auth_unix.c", "mod_auth_file.c", "mod_auth.c", "mod_ls.c", "mod_log.c", "mod_site.c", "mod_delay.c", "mod_facts.c", "mod_ident.c",
}

func readProFTPD(f *hostfile.File) {
	p := proftpd{f: f, main: newPro("", hostfile.Part{}, hostfile.Part{}, nil), loaded: map[string]bool{}}
	p.global = newPro("global", hostfile.Part{}, hostfile.Part{}, nil)
	for _, m := range proBuiltin {
		p.loaded[m] = true
	}
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		switch {
		case bytes.HasPrefix(l.Text, []byte("</")):
			p.close(l)
		case l.Text[0] == '<':
			p.block(l)
		default:
			p.directive(l)
		}
	}
	p.state()
}

func (p *proftpd) block(l *hostfile.Line) {
	kind, args := l.Slice(1, max(1, len(bytes.TrimRight(l.Text, ">")))).Word()
	name := strings.ToLower(kind.String())
	if _, known := proBlocks[name]; !known || len(p.open) > 64 {
		return
	}
	l.OK()
	b := proBlock{kind: name, args: args.Unquote()}
	switch name {
	case "global":
		b.server = p.global
	case "virtualhost", "anonymous":
		up := p.server()
		if name == "virtualhost" {
			up = nil // it inherits from <Global> alone
		}
		b.server = newPro(name, b.args, l.Part, up)
		b.server.when = p.condition()
		p.servers = append(p.servers, b.server)
	case "limit":
		if hasFold(args, "LOGIN") || hasFold(args, "ALL") && p.directoryless() {
			b.limit = &proLimit{line: l.Part}
		}
	}
	p.open = append(p.open, b)
}

func hasFold(p hostfile.Part, words ...string) bool {
	for _, w := range p.Fields() {
		for _, s := range words {
			if w.Fold(s) {
				return true
			}
		}
	}
	return false
}

func (p *proftpd) close(l *hostfile.Line) {
	name := strings.ToLower(l.Slice(2, max(2, len(bytes.TrimRight(l.Text, ">")))).Trim().String())
	for i := len(p.open) - 1; i >= 0; i-- {
		if p.open[i].kind != name {
			continue
		}
		if b := p.open[i]; b.limit != nil {
			if s := p.serverBelow(i); s.login == nil && (len(b.limit.allow)+len(b.limit.deny) > 0 || b.limit.all != 0) && !b.limit.users {
				s.login = b.limit
			}
		}
		p.open = p.open[:i]
		l.OK()
		return
	}
}

// server is the server whose context a line is in.
func (p *proftpd) server() *proServer { return p.serverBelow(len(p.open)) }

func (p *proftpd) serverBelow(n int) *proServer {
	for i := n - 1; i >= 0; i-- {
		if s := p.open[i].server; s != nil {
			return s
		}
	}
	return p.main
}

// directoryless reports whether the context is a server's own, not a folder's in it.
func (p *proftpd) directoryless() bool {
	for _, b := range p.open {
		if b.kind == "directory" && !everywhere(b.args) {
			return false
		}
	}
	return true
}

// everywhere is a folder that is all there is: "*", "/", "/*", "~".
func everywhere(p hostfile.Part) bool { return p.Is("*") || p.Is("/") || p.Is("/*") || p.Is("~") }

// condition is the module that the context needs and that the file does not load; "a definition" for <IfDefine>; empty
// when the context holds always.
func (p *proftpd) condition() string {
	for _, b := range p.open {
		switch b.kind {
		case "ifmodule":
			if m := strings.ToLower(b.args.String()); !p.loaded[m] {
				return m
			}
		case "ifdefine":
			return "a definition"
		}
	}
	return ""
}

// sometimes reports whether the context is of some sessions only.
func (p *proftpd) sometimes() bool {
	for _, b := range p.open {
		switch b.kind {
		case "ifauthenticated", "ifclass", "ifuser", "ifgroup":
			return true
		}
	}
	return false
}

func (p *proftpd) directive(l *hostfile.Line) {
	key, args := l.Word()
	name := strings.ToLower(key.String())
	why, known := proDirective(name)
	if !known {
		if name == "cidr" {
			l.Skip()
		}
		return
	}
	if strings.HasPrefix(name, "execon") {
		p.exec(l, name, args)
		return
	}
	if why != proUsed && why != proShared {
		l.Skip()
		return
	}
	l.OK()
	switch name {
	case "include":
		p.included = true
		l.Skip() // the files it includes are read by themselves
		return
	case "loadmodule":
		p.loaded[strings.ToLower(args.Unquote().String())] = true
		return
	}
	p.secrets(name, args)
	if b := p.inner("limit"); b != nil {
		p.limits(b, l, name, args)
		return
	}
	if p.inner("class") != nil || p.inner("directory") != nil && name != "allowoverwrite" {
		return
	}
	if p.sometimes() && why == proUsed {
		l.Unsupported("said for some sessions only")
		return
	}
	p.sets(l, name, args)
}

// sets keeps a directive for its server.
func (p *proftpd) sets(l *hostfile.Line, name string, args hostfile.Part) {
	s := p.server()
	c := p.condition()
	if _, again := s.set[name]; again && c != "" && s.maybe[name] == "" {
		s.maybe[name] = c // it may or may not replace what was said before
		return
	}
	s.set[name], s.lines[name] = args, l.Part
	s.maybe[name] = c
	if name == "allowforeignaddress" && !args.Fold("off") {
		l.Unsupported("data connections with a third host")
	}
}

// inner is the innermost open block of a kind; nil when there is none.
func (p *proftpd) inner(kind string) *proBlock {
	for i := len(p.open) - 1; i >= 0; i-- {
		if p.open[i].kind == kind {
			return &p.open[i]
		}
	}
	return nil
}

// limits reads what stands in <Limit>: about logins it makes a list of clients, about storing files it says who may.
func (p *proftpd) limits(b *proBlock, l *hostfile.Line, name string, args hostfile.Part) {
	if b.limit != nil {
		switch name {
		case "order":
			b.limit.denyFirst = bytes.HasPrefix(bytes.ToLower(args.Text), []byte("deny"))
		case "allow", "deny":
			from, rest := args.Word()
			if !from.Fold("from") {
				rest = args
			}
			if name == "allow" {
				b.limit.allow = append(b.limit.allow, rest.Split(", \t")...)
			} else {
				b.limit.deny = append(b.limit.deny, rest.Split(", \t")...)
			}
		case "allowuser", "allowgroup":
			b.limit.users = true
		case "allowclass":
			b.limit.allow = append(b.limit.allow, args) // a name, which cannot be told
		case "allowall":
			b.limit.all = 1
		case "denyall":
			b.limit.all = -1
		}
	}
	if !hasFold(b.args, "WRITE", "ALL", "STOR", "APPE", "STOU") || p.sometimes() {
		return
	}
	s := p.server()
	switch name {
	case "denyall":
		if p.directoryless() && hasFold(b.args, "WRITE", "ALL", "STOR") && len(s.noWrite.Text) == 0 {
			s.noWrite = l.Part
		}
	case "allowall", "allow", "allowuser", "allowgroup", "allowclass":
		if len(s.write.Text) == 0 {
			s.write = l.Part
		}
	}
}

// exec reads mod_exec's directives: "ExecOnCommand COMMANDS program arguments".
func (p *proftpd) exec(l *hostfile.Line, name string, args hostfile.Part) {
	l.OK()
	program := args
	if name == "execoncommand" || name == "execonevent" {
		_, program = args.Word()
	}
	h := facts.Hook{Kind: facts.HookScript, Name: "proftpd " + name, Trigger: name, Enabled: facts.Say(true, p.f.Span(l.Part)), Span: p.f.Span(l.Part)}
	p.f.Command(&h, program, "event")
	p.f.Device.Hooks = append(p.f.Device.Hooks, h)
}

// secrets states passwords of accounts and of the servers that hold accounts.
func (p *proftpd) secrets(name string, args hostfile.Part) {
	w := args.Quoted()
	at, s := -1, facts.Secret{Storage: facts.StorageClear, Kind: facts.SecretOther}
	switch name {
	case "userpassword": // UserPassword user hash
		at, s.Kind, s.Storage = 1, facts.SecretUser, facts.StorageHashed
	case "sqlconnectinfo":
		at = 2
	case "sqlnamedconnectinfo":
		at = 4
	case "ldapbinddn":
		at = 1
	case "radiusauthserver", "radiusacctserver":
		at, s.Kind = 1, facts.SecretKey
	}
	if at < 0 || at >= len(w) {
		return
	}
	if at > 0 && name != "ldapbinddn" {
		s.User = w[at-1].String()
	}
	s.Name = name
	p.f.Secret(w[at], s)
}

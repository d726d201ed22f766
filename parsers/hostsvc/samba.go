package hostsvc

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Samba reads smb.conf and what "testparm -s" prints: sections "[name]" of lines "parameter = value" (smb.conf(5)). Case and
// blanks in names of parameters mean nothing.
func Samba() facts.Format {
	return format("samba-config", hostfile.Syntax{Comments: "#;", Continue: true}, func(name string, head []byte) facts.Confidence {
		section := false
		return hostfile.Scan(head, "#;", func(line []byte) (bool, bool) {
			if line[0] == '[' && line[len(line)-1] == ']' {
				section = true
				telling := bytes.EqualFold(line, []byte("[global]")) || bytes.EqualFold(line, []byte("[homes]")) || bytes.EqualFold(line, []byte("[printers]"))
				return telling, false
			}
			key, _, assigns := bytes.Cut(line, []byte("="))
			why, known := sambaParameters[sambaName(string(key))]
			return section && assigns && known, known && why != sambaPlain
		}).Confidence(hostfile.Named(name, "smb.conf"))
	}, func(f *hostfile.File, _ string) { readSamba(f) })
}

// sambaName is a parameter's name with its case and blanks taken off.
func sambaName(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), " ", ""), "\t", "")
}

const (
	sambaUsed  = ""
	sambaPlain = "a word that other programs use as well"
)

// sambaSynonyms are names of the same parameter; "!" in front turns its value round (smb.conf(5), "Synonym for").
var sambaSynonyms = map[string]string{
	"writeable": "!readonly", "writable": "!readonly", "writeok": "!readonly", "public": "guestok", "onlyguest": "guestonly", "allowhosts": "hostsallow",
	"denyhosts": "hostsdeny", "minprotocol": "serverminprotocol", "protocol": "servermaxprotocol", "maxprotocol": "servermaxprotocol", "directory": "path",
	"browsable": "browseable", "exec": "preexec", "smbencrypt": "serversmbencrypt", "root": "rootdirectory", "rootdir": "rootdirectory",
	"vfsobject": "vfsobjects", "debuglevel": "loglevel", "usershareallowguest": "usershareallowguests",
}

// sambaParameters are those of Samba 4.17 that are read, and those of which this is why they do not bear on transfers.
var sambaParameters = sambaTable()

func sambaTable() map[string]string {
	t := table(map[string]string{
		sambaUsed: `readonly,guestok,guestonly,hostsallow,hostsdeny,serverminprotocol,servermaxprotocol,serversigning,serversmbencrypt,
			interfaces,bindinterfacesonly,smbports,disablenetbios,maptoguest,restrictanonymous,vfsobjects,usersharepath,usershareallowguests,
			usersharemaxshares,available,adminusers,writelist,include,configfile,preexec,rootpreexec,postexec,rootpostexec,adduserscript,
			deleteuserscript,addmachinescript,addgroupscript,deletegroupscript,addusertogroupscript,deleteuserfromgroupscript,setprimarygroupscript,
			renameuserscript,usernamemapscript,checkpasswordscript,panicaction,messagecommand,dfreecommand,magicscript,addsharecommand,deletesharecommand,
			changesharecommand,shutdownscript,abortshutdownscript,getquotacommand,setquotacommand,printcommand,lpqcommand,lprmcommand,passwdprogram,winshook,
			registryshares,configbackend,followsymlinks,widelinks,copy,autoservices,ntlmauth,nullpasswords,allowinsecurewidelinks`,
		sambaPlain: "path,comment,workgroup,realm,security,socketoptions,passwordserver,logfile,loglevel,printing,printable,username,invalidusers,validusers,volume,timeserver",
		"names": `netbiosname,netbiosaliases,netbiosscope,serverstring,nameresolveorder,dnsproxy,winssupport,winsserver,winsproxy,lmannounce,lminterval,
			preferredmaster,localmaster,domainmaster,domainlogons,oslevel,browselist,enhancedbrowsing,remoteannounce,remotebrowsesync,browseable,mdnsname,
			multicastdnsregister,hostnamelookups,dnsforwarder,dnsupdatecommand,allowdnsupdates,nsupdatecommand,announceversion,announceas,defaultservice,default`,
		"accounts": `passdbbackend,passdbexpandexplicit,encryptpasswords,obeypamrestrictions,unixpasswordsync,pampasswordchange,passwdchat,passwdchatdebug,passwdchattimeout,
			guestaccount,usernamemap,usernamelevel,kerberosmethod,dedicatedkeytabfile,clientusekerberos,clientntlmv2auth,clientlanmanauth,clientplaintextauth,
			lanmanauth,rawntlmv2auth,ldapadmindn,ldapsuffix,ldapusersuffix,ldapgroupsuffix,ldapmachinesuffix,ldapidmapsuffix,ldapssl,ldappasswdsync,ldaptimeout,ldapdeletedn,
			forceuser,forcegroup,inheritowner,userscriptpath,logonscript,logonpath,logondrive,logonhome,templateshell,templatehomedir,allowtrusteddomains,
			machinepasswordtimeout,smbpasswdfile,enableprivileges,clientldapsaslwrapping,serverschannel,clientschannel,winbindenumusers,winbindenumgroups,
			winbindusedefaultdomain,winbindrefreshtickets,winbindofflinelogon,winbindnestedgroups,winbindseparator,winbindnssinfo,winbindcachetime,winbindexpandgroups,
			winbindrpconly,winbindmaxclients,winbindnormalizenames,algorithmicridbase,readlist,serverrole,clientsigning,clientminprotocol,clientmaxprotocol,
			clientipcsigning,clientipcminprotocol,clientipcmaxprotocol,clientusespnego,clientsmbencrypt,tlsenabled,tlskeyfile,tlscertfile,tlscafile`,
		"modes of files": `createmask,createmode,directorymask,directorymode,forcecreatemode,forcedirectorymode,forceunknownacluser,inheritpermissions,inheritacls,mapaclinherit,
			maparchive,maphidden,mapsystem,mapreadonly,storedosattributes,dosfilemode,dosfiletimes,dosfiletimeresolution,ntaclsupport,aclallowexecutealways,aclgroupcontrol,
			aclmapfullcontrol,easupport,securitymask,forcesecuritymode,directorysecuritymask,forcedirectorysecuritymode,aclcheckpermissions,honorchangenotifyprivilege`,
		"names of files": `casesensitive,defaultcase,preservecase,shortpreservecase,manglednames,manglingmethod,mangleprefix,manglingchar,vetofiles,vetooplockfiles,deletevetofiles,
			deletereadonly,hidedotfiles,hidefiles,hidespecialfiles,hideunreadable,hideunwriteablefiles,unixcharset,doscharset,displaycharset,dontdescend,fakedirectorycreatetimes,
			accessbasedshareenum,administrativeshare,unixextensions,smb1unixextensions,hostmsdfs,msdfsroot,msdfsproxy`,
		"how bytes are sent": `deadtime,keepalive,maxxmit,readraw,writeraw,largereadwrite,usesendfile,minreceivefilesize,aioreadsize,aiowritesize,strictlocking,strictsync,syncalways,
			strictallocate,oplocks,level2oplocks,kerneloplocks,locking,posixlocking,blockinglocks,kernelsharemodes,durablehandles,maxconnections,maxsmbdprocesses,maxopenfiles,maxmux,
			getwdcache,statcache,directorynamecachesize,servermultichannelsupport,smb2leases,smb2maxread,smb2maxwrite,smb2maxtrans,allocationroundup,fakeoplocks,
			lockspintime,changenotify,kernelchangenotify,usemmap,asyncsmbechohandler,socketaddress,nbtport,wideLinks,minprintspace,cscpolicy,smb2maxcredits,sharemodes,
			readprediction,fstype,timeoffset,timestamplogs,allowdcerpcauthlevelconnect,rpcservertdynamicportrange,rpcserverdynamicportrange`,
		"the process and its log": `maxlogsize,syslog,syslogonly,logging,debugtimestamp,debughirestimestamp,debugpid,debuguid,debugclass,debugprefixtimestamp,statedirectory,cachedirectory,
			lockdirectory,lockdir,piddirectory,privatedir,ncalrpcdir,usershareowneronly,usershareprefixallowlist,usershareprefixdenylist,usersharetemplateshare,utmp,winbindddirectory,
			clustering,ctdbdsocket,clusteraddresses,preloadmodules,preload,serverservices,dcerpcendpointservers,idmapuid,idmapgid,idmapbackend,idmapcachetime,ntpsignddirectory,
			winbindscantrusteddomains,idmapcache,smbdprofilinglevel,autoservicesdirectory,enablecorefiles,homedirmap,nishomedir,mintimeserver`,
		"printers": `loadprinters,printcapname,printcap,printcapcachetime,cupsoptions,cupsserver,cupsencrypt,disablespoolss,showaddprinterwizard,usedclientdriver,useclientdriver,
			printername,printer,printok,printnotifybackchannel,lppausecommand,lpresumecommand,queuepausecommand,queueresumecommand,maxprintjobs,maxreportedprintjobs,lpqcachetime,
			addprintercommand,deleteprintercommand,addportcommand,enumportscommand,iprintserver,os2drivermap,printjobusername,forceprintername,defaultdevmode,spoolss:architecture`,
	})
	for s, to := range sambaSynonyms {
		t[s] = t[strings.TrimPrefix(to, "!")]
	}
	return t
}

// A sambaSection is [global] or a share.
type sambaSection struct {
	name hostfile.Part
	line hostfile.Part
	set  map[string]hostfile.Part // the last value of each parameter
	not  map[string]bool          // it was set by a name that turns it round
}

type samba struct {
	f        *hostfile.File
	global   *sambaSection
	shares   []*sambaSection
	included bool
}

func readSamba(f *hostfile.File) {
	s := samba{f: f, global: &sambaSection{set: map[string]hostfile.Part{}, not: map[string]bool{}}}
	at := s.global
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		if end := bytes.IndexByte(l.Text, ']'); l.Text[0] == '[' && end > 0 {
			l.OK()
			at = s.section(l, l.Slice(1, end).Trim())
			continue
		}
		s.parameter(at, l)
	}
	s.state()
}

// section opens a section; one of a name that was there before goes on.
func (s *samba) section(l *hostfile.Line, name hostfile.Part) *sambaSection {
	if name.Fold("global") || name.Fold("globals") {
		s.global.name, s.global.line = name, l.Part
		return s.global
	}
	for _, x := range s.shares {
		if x.name.Fold(name.String()) {
			return x
		}
	}
	x := &sambaSection{name: name, line: l.Part, set: map[string]hostfile.Part{}, not: map[string]bool{}}
	s.shares = append(s.shares, x)
	return x
}

func (s *samba) parameter(at *sambaSection, l *hostfile.Line) {
	key, value, assigns := l.Cut("=")
	name := sambaName(key.String())
	why, known := sambaParameters[name]
	switch {
	case !assigns:
		return
	case strings.ContainsRune(name, ':'):
		s.option(at, l, name, value)
		return
	case !known:
		return
	}
	turned := false
	if to, ok := sambaSynonyms[name]; ok {
		name, turned = strings.CutPrefix(to, "!")
	}
	at.set[name], at.not[name] = value, turned
	switch {
	case name == "include" || name == "configfile" || name == "registryshares" || name == "configbackend":
		s.included = s.included || name != "registryshares" || value.Fold("yes")
		l.Unsupported("what it includes is read by itself, if it is evidence")
		if name == "registryshares" && !value.Fold("yes") {
			l.OK()
		}
	case name == "copy":
		s.included = true // a share that another is copied from may say anything
		l.Unsupported("the parameters of another share are copied")
	case why == sambaUsed || name == "path":
		l.OK()
		s.runs(at, l, name, value)
	default:
		l.Skip()
	}
}

// option reads "module:name = value": of a VFS module, an idmap backend and others.
func (s *samba) option(at *sambaSection, l *hostfile.Line, name string, value hostfile.Part) {
	l.Skip()
	if strings.HasPrefix(name, "full_audit:") || strings.HasPrefix(name, "extd_audit:") {
		at.set[name] = value
		l.OK()
	}
}

// runs states the programs that Samba runs by itself.
func (s *samba) runs(at *sambaSection, l *hostfile.Line, name string, value hostfile.Part) {
	if len(value.Text) == 0 || !strings.HasSuffix(name, "exec") && !strings.HasSuffix(name, "script") && !strings.HasSuffix(name, "command") &&
		name != "panicaction" && name != "passwdprogram" && name != "winshook" {
		return
	}
	h := facts.Hook{
		Kind: facts.HookScript, Name: strings.TrimSpace("smb.conf " + sambaTitle(at) + " " + name), Enabled: facts.Say(true, s.f.Span(l.Part)), Trigger: name,
		Span: s.f.Span(l.Part),
	}
	if strings.HasPrefix(name, "root") {
		h.User = "root"
	}
	s.f.Command(&h, value, "event")
	s.f.Device.Hooks = append(s.f.Device.Hooks, h)
}

func sambaTitle(at *sambaSection) string {
	if len(at.name.Text) == 0 {
		return "[global]"
	}
	return "[" + at.name.String() + "]"
}

// yes is a boolean of a section; initial when it is not set and nothing is included.
func (s *samba) yes(at *sambaSection, key string, initial bool) facts.V[bool] {
	v, ok := at.set[key]
	if !ok && at != s.global {
		v, ok = s.global.set[key] // a share's parameter in [global] is the default of all (smb.conf(5))
		at = s.global
	}
	if !ok {
		if s.included {
			return facts.V[bool]{}
		}
		return facts.Assume(initial)
	}
	on := false
	switch strings.ToLower(v.String()) {
	case "yes", "true", "1", "on":
		on = true
	case "no", "false", "0", "off":
	default:
		return facts.V[bool]{}
	}
	return facts.Say(on != at.not[key], s.f.Span(v))
}

func (s *samba) text(key string) facts.V[string] {
	if v, ok := s.global.set[key]; ok {
		return s.f.Say(v)
	}
	return facts.V[string]{}
}

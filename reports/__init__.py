"""What people look at: terminal, HTML, figures, traces, and files for other tools.

A report is made from results, those of ``shadowshare.verify`` and ``shadowshare.sim``, and from nothing else: this
part imports no protocol, model or scenario, and runs nothing. Only the commands import it.
"""

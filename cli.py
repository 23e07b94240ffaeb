from xrm.commands import main

main()

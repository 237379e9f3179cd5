"""The demo on Tencent Cloud: deployed to a stand-in of SCF, run in SCF's layout."""
